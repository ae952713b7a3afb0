"""The folder of the sealed keyring: `keyring.sealed` and, when no passphrase is used, `keyring.key`.

A writer holds `keyring.lock`; a new document is written beside the old one, synced and renamed over it. So a reader,
or a crash at any moment, finds the old keyring or the new one, whole. An existing keyring or key file is never
replaced by making a new one. Every writing stands in the audit log before it is done (keyring_history.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from ehc.crypto.secret_memory import guard_process
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import Conflict, KeyringError
from ehc.keys.acting import acting
from ehc.keys.audit import Actor
from ehc.keys.duties import Duty
from ehc.keys.keyring import Keyring, Operation, Purpose
from ehc.keys.sealing import (
    KEY_FILE_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    Argon2id,
    Derivation,
    Header,
    KeyFile,
    read_header,
    seal,
    secret_of_new_passphrase,
    secret_of_passphrase,
    unseal,
)
from ehc.store.audit_log import AuditLog
from ehc.store.keyring_history import KeyringHistory

Passphrase = Callable[[], str]
"""Asks for the passphrase; called only for a keyring that was sealed under one."""

_ANYBODY_ELSE = stat.S_IRWXG | stat.S_IRWXO
_OTHER_WRITERS = stat.S_IWGRP | stat.S_IWOTH
_MAX_BYTES = 1 << 20  # several times a full keyring
_MAX_HEADER = 1024


class KeyringFolder:
    """One folder, at most one keyring. Every failure names the path and the way out: KeyringError, or Conflict."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sealed = path / "keyring.sealed"
        self.key_file = path / "keyring.key"
        self.audit = AuditLog(path)
        self._history = KeyringHistory(self.audit)

    def create(self, keyring: Keyring, passphrase: str | None = None, *, actor: Actor | None = None) -> None:
        """Store a first keyring, sealed under the passphrase or, without one, under a new key file (mode 0600).

        A key file that is there already is used as it is: it may belong to a keyring that was moved away.
        Raises Conflict when there is a keyring, or another process makes one at this moment; InputError for a
        passphrase that is too short.
        """
        with _reporting(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_shared(self.path, self.path.stat(), _ANYBODY_ELSE, "700")
        with self._locked(), _reporting(self.path):
            if self.sealed.exists():
                raise Conflict(
                    f"{self.path} has a keyring already, and it stays as it is: `ehc keys list` shows it, "
                    "`ehc keys import` adds a key to it, --keyring DIR names another folder"
                )
            counter = self._history.last_counter() + 1  # of a keyring that was here before
            if passphrase is None:
                self._write(keyring, self._own_key_file(), KeyFile(salt=os.urandom(SALT_BYTES)), counter, actor)
            else:
                secret = secret_of_new_passphrase(passphrase)
                self._write(keyring, secret, Argon2id(salt=os.urandom(SALT_BYTES)), counter, actor)

    def open(self, passphrase: Passphrase | None = None) -> Keyring:
        """The keyring; leave it (`with`) as soon as the handles are made, that wipes it."""
        return self._open(passphrase)[0]

    @contextlib.contextmanager
    def change(
        self, passphrase: Passphrase | None = None, *, actor: Actor | None = None, duty: Duty = Duty.KEYS
    ) -> Iterator[Keyring]:
        """The keyring to change; stored when the block ends without an error, wiped in any case.

        actor: a custodian who changes it by dual control; else who acts, whose duty it must be, or the user of this
        process. Raises Conflict when another process is changing it, Forbidden.
        """
        self._require_keyring()
        with self._locked():
            keyring, secret, header = self._open(passphrase)
            with keyring:
                if actor is None:
                    actor = self.require(duty, keyring)
                yield keyring
                key = msgspec.structs.replace(header.key, salt=os.urandom(SALT_BYTES))
                with _reporting(self.sealed):
                    self._write(keyring, secret, key, self._history.last_counter() + 1, actor)

    def require(self, duty: Duty, keyring: Keyring) -> Actor:
        """Who acts, for the audit log. Raises Forbidden when this is not their duty."""
        who = acting()
        keyring.office.require(duty, who)
        return process_user() if who is None else Actor(who.identity.name, who.identity.role)

    def reinstate(self, passphrase: Passphrase | None, allow: Callable[[Keyring], None], *, actor: Actor) -> int:
        """Take the document that is here although it is not the last one of its log, and say so in the log; returns its
        counter. allow: raises unless those who may decide this do. Raises KeyringError when it is the last one."""
        with self._locked():
            with _reporting(self.sealed):
                document = _read(self.sealed)
            header = read_header(document)
            secret = self._read_key_file() if isinstance(header.key, KeyFile) else self._ask(passphrase)
            with unseal(document, secret) as keyring, _reporting(self.sealed):
                allow(keyring)
                keyring.note_about("reinstate", f"writing {header.counter} after {self._history.last_counter()}")
                key = msgspec.structs.replace(header.key, salt=os.urandom(SALT_BYTES))
                counter = max(header.counter, self._history.last_counter()) + 1
                self._write(keyring, secret, key, counter, actor)
        return header.counter

    def generation(self) -> int:
        """Another number after every change, for one small read: whoever holds keys of this keyring asks it each second
        and opens the keyring again when it differs. Raises KeyringError."""
        with _reporting(self.sealed), open(self.sealed, "rb") as file:
            return read_header(file.readline(_MAX_HEADER)).counter

    def _open(self, passphrase: Passphrase | None) -> tuple[Keyring, bytes, Header]:
        guard_process()
        self._require_keyring()
        document = self._latest()
        try:
            header = read_header(document)
            secret = self._read_key_file() if isinstance(header.key, KeyFile) else self._ask(passphrase)
            return unseal(document, secret), secret, header
        except KeyringError as error:
            raise KeyringError(f"{self.sealed}: {error}") from None

    def _latest(self) -> bytes:
        """The document, which is the last one of its log. Read again when another process wrote meanwhile."""
        while True:
            with _reporting(self.sealed):
                document = _read(self.sealed)
            try:
                self._history.check(read_header(document).counter, document)
                return document
            except KeyringError as error:
                with _reporting(self.sealed):
                    if document == _read(self.sealed):
                        raise KeyringError(f"{self.sealed}: {error}") from None

    def _require_keyring(self) -> None:
        with _reporting(self.path):
            if not self.sealed.exists():
                raise KeyringError(
                    f"no keyring in {self.path}: make one with `ehc keys init` (with --empty to import keys into), "
                    "or name its folder with --keyring DIR or EHC_KEYRING"
                )
            _refuse_shared(self.path, self.path.stat(), _OTHER_WRITERS, "700")

    def _ask(self, passphrase: Passphrase | None) -> bytes:
        if passphrase is None:
            raise KeyringError("it is sealed under a passphrase, and there is nobody to ask for it here")
        return secret_of_passphrase(passphrase())

    def _read_key_file(self) -> bytes:
        with _reporting(self.key_file):
            if not self.key_file.exists():
                raise KeyringError(f"its key file {self.key_file} is missing: restore it from a backup")
            secret = _read(self.key_file, private=True)
        if len(secret) != KEY_FILE_BYTES:
            raise KeyringError(
                f"its key file {self.key_file} has {len(secret)} bytes instead of {KEY_FILE_BYTES}: "
                "restore it from a backup"
            )
        return secret

    def _own_key_file(self) -> bytes:
        """The secret of the key file, made if there is none. Called under the lock."""
        if not self.key_file.exists():
            _replace(self.key_file, os.urandom(KEY_FILE_BYTES))
        return self._read_key_file()

    def _write(self, keyring: Keyring, secret: bytes, key: Derivation, counter: int, actor: Actor | None) -> None:
        """Into the log, then in place, then into the log that it is; and a checkpoint, if there is a key to sign it."""
        actor = actor or process_user()
        document = seal(keyring, secret, key, os.urandom(NONCE_BYTES), counter)
        self._history.begin(counter, document, keyring.deeds, actor)
        _replace(self.sealed, document)
        self._history.end(counter, actor)
        for entry in keyring.usable(Purpose.SIGNING_KEY, Operation.SIGN)[:1]:
            self.audit.checkpoint(entry.public_key, PrivateKey(entry.raw).sign)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """The one writer of this folder. The lock goes with the process, however it ends."""
        with contextlib.ExitStack() as held:
            with _reporting(self.path):
                lock = held.enter_context(open(self.path / "keyring.lock", "wb", opener=_private))
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise Conflict(f"another process is writing the keyring in {self.path}: try again") from None
            yield


def process_user() -> Actor:
    """The operating system's user of this process."""
    try:
        return Actor(pwd.getpwuid(os.getuid()).pw_name)
    except KeyError:
        return Actor(f"uid {os.getuid()}")


@contextlib.contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """What the operating system refuses inside becomes a KeyringError with the path."""
    try:
        yield
    except OSError as error:
        raise KeyringError(f"{error.filename or path}: {error.strerror}") from error


def _refuse_shared(path: Path, found: os.stat_result, bits: int, mode: str) -> None:
    held = stat.S_IMODE(found.st_mode)
    if held & bits:
        raise KeyringError(f"{path} is open to others than its owner (mode {held:04o}): chmod {mode} {path}")


def _read(path: Path, *, private: bool = False) -> bytes:
    """The whole of a small file. private: refuse one that others may use; asked of the opened file, not the name."""
    with open(path, "rb") as file:
        if private:
            _refuse_shared(path, os.fstat(file.fileno()), _ANYBODY_ELSE, "600")
        return file.read(_MAX_BYTES)


def _private(path: str, flags: int) -> int:
    """Opener of a file that is the owner's alone, also when a leftover of a crash has the name."""
    fd = os.open(path, flags | os.O_NOFOLLOW, 0o600)
    os.fchmod(fd, 0o600)
    return fd


def _replace(path: Path, content: bytes) -> None:
    """Put a whole file in place, or leave everything as it was: write beside it, sync, rename, sync the folder."""
    fresh = path.with_name(path.name + ".new")
    with open(fresh, "wb", opener=_private) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
