"""A backup (密钥备份): a keyring sealed under a key that exists only in shares.

    manifest, one line of JSON ‖ sealed document (sealing.py) under the 32 bytes that the shares give

The manifest names M, N and SM3 of every share, so that a forged share is named, and stands under an SM2 signature of
the keyring that was backed up, when it has a signing key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ehc.crypto import sm3, wipe
from ehc.crypto.sm2 import PublicKey
from ehc.errors import InputError, KeyringError
from ehc.keys.keyring import Keyring
from ehc.keys.sealing import KEY_FILE_BYTES, NONCE_BYTES, SALT_BYTES, KeyFile, seal, unseal
from ehc.keys.shares import Share, combine, forged, split

Random = Callable[[int], bytes]
Bytes16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, Meta(min_length=32, max_length=32)]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first line of a backup. signature: SM2 of public_key over `text`; both empty without a signing key."""

    format: Literal["ehc-backup"] = "ehc-backup"
    version: Literal[1] = 1
    name: Bytes16  # random, which splitting this is
    made_at: int
    needed: Annotated[int, Meta(ge=2, le=255)]
    commitments: list[Bytes32]
    document: Bytes32  # SM3 of the sealed document
    public_key: bytes = b""
    signature: bytes = b""

    def text(self) -> bytes:
        """What is signed."""
        return b"ehc backup v1\n" + msgspec.json.encode(msgspec.structs.replace(self, signature=b""))


class ShareFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One share as its custodian keeps it."""

    format: Literal["ehc-share"] = "ehc-share"
    backup: Bytes16
    index: Annotated[int, Meta(ge=1, le=255)]
    needed: int
    count: int
    value: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    check: str  # 8 hex digits of SM3 of the value: whoever types it in sees a slip


def back_up(
    keyring: Keyring,
    needed: int,
    count: int,
    *,
    now: int,
    random: Random,
    signer: tuple[bytes, Callable[[bytes], bytes]] | None = None,
) -> tuple[bytes, list[Share]]:
    """The backup and its shares, of which any `needed` open it: tried before this returns. Wipe the shares.

    signer: public key and signing function.
    """
    secret, name = bytearray(random(KEY_FILE_BYTES)), random(16)
    shares = split(secret, needed, count, random)
    document = seal(keyring, bytes(secret), KeyFile(salt=random(SALT_BYTES)), random(NONCE_BYTES))
    wipe(secret)
    manifest = Manifest(
        name=name,
        made_at=now,
        needed=needed,
        commitments=[share.commitment(name) for share in shares],
        document=sm3(document),
        public_key=signer[0] if signer else b"",
    )
    if signer:
        manifest = msgspec.structs.replace(manifest, signature=signer[1](manifest.text()))
    backup = msgspec.json.encode(manifest) + b"\n" + document
    open_backup(backup, shares[:needed]).wipe()
    return backup, shares


def read_manifest(backup: bytes) -> Manifest:
    """Raises KeyringError when this is no backup, its document is not the one it names, or its signature does not
    fit the public key it names; whose key that is, the caller knows."""
    line, _, document = backup.partition(b"\n")
    try:
        manifest = msgspec.json.decode(line, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        manifest = None
    if manifest is None or msgspec.json.encode(manifest) != line:  # base64 and JSON have more than one way to say it
        raise KeyringError("this is no backup of a keyring, or it was changed")
    if sm3(document) != manifest.document:
        raise KeyringError("the backup was changed: its sealed keyring is not the one that its first line names")
    if manifest.public_key and not _signed(manifest):
        raise KeyringError("the backup was changed: its signature does not fit")
    return manifest


def _signed(manifest: Manifest) -> bool:
    try:
        return PublicKey(manifest.public_key).verify(manifest.signature, manifest.text())
    except InputError:
        return False


def open_backup(backup: bytes, shares: Sequence[Share]) -> Keyring:
    """The keyring; wipe it. Raises InputError that names forged shares or says how many are missing, KeyringError."""
    manifest = read_manifest(backup)
    if wrong := forged(shares, manifest.name, manifest.commitments):
        raise InputError(f"not a share of this backup, or forged: share {', '.join(map(str, wrong))}")
    distinct = {share.index: share for share in shares}
    if len(distinct) < manifest.needed:
        raise InputError(f"{len(distinct)} shares of {manifest.needed} that are needed")
    secret = combine(list(distinct.values())[: manifest.needed])
    try:
        return unseal(backup.partition(b"\n")[2], bytes(secret))
    finally:
        wipe(secret)


def write_share(share: Share, manifest: Manifest) -> bytes:
    """The custodian's file; holds a secret."""
    made = ShareFile(
        backup=manifest.name,
        index=share.index,
        needed=manifest.needed,
        count=len(manifest.commitments),
        value=share.value.hex(),
        check=_check(share.value),
    )
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def read_share(text: bytes) -> Share:
    """Raises InputError that repeats nothing of it."""
    try:
        found = msgspec.json.decode(text, type=ShareFile)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError("this is no share of a backup") from None
    share = Share(found.index, bytearray.fromhex(found.value))
    if _check(share.value) != found.check:
        raise InputError(f"share {found.index}: its check digits do not fit its value: a slip in copying?")
    return share


def _check(value: bytearray) -> str:
    return sm3(value).hex()[:8]
