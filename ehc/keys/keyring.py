"""The keyring: which keys there are, in which version and state (密钥管理, 5.3)."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple

from ehc.crypto import CompactKey, KeyHandle, sm3, wipe
from ehc.crypto.secret_memory import hold
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import Conflict, InputError, NotFound
from ehc.keys.life import GONE, LEADS_TO, KeyState, Operation, Purpose, Usage, allowed
from ehc.keys.office import Office

__all__ = ["Deed", "Entry", "KeyState", "Keyring", "Minimum", "Operation", "Purpose", "Usage", "new_entry"]

KEY_BYTES = 16
MAX_VERSION = 255  # one byte in the field's wire formats


class Minimum(NamedTuple):
    """The least version of a purpose that may make, and that may check."""

    making: int = 1
    checking: int = 1


class Deed(NamedTuple):
    """What was done to a keyring, for the audit log; holds no secret."""

    operation: str
    purpose: str
    version: int
    check_value: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of one key. Its bytes stay out of repr and are empty once the keyring is wiped, or the version is
    archived or destroyed."""

    purpose: Purpose
    version: int  # 1..255
    usages: frozenset[Usage]
    history: tuple[tuple[KeyState, int], ...]  # every state it came to, and when: seconds since 1970
    check_value: str  # 6 upper-case hex digits: of SM4 of the zero block, of an SM2 key SM3 of the public key
    digest_value: str  # 8 upper-case hex digits: of SM3 of the key
    public_key: bytes = b""  # x ‖ y of an SM2 key, 64 bytes
    raw: bytearray = field(default_factory=bytearray, repr=False, compare=False)

    @property
    def state(self) -> KeyState:
        return self.history[-1][0]

    @property
    def created_at(self) -> int:
        return self.history[0][1]

    @property
    def since(self) -> int:
        """When the present state began."""
        return self.history[-1][1]

    def handle(self) -> KeyHandle:
        """Raises ValueError after the keyring was wiped."""
        made = KeyHandle(self.raw, self.purpose.value, self.version)
        hold(made)
        return made

    def compact_key(self) -> CompactKey:
        """Of a protection key: the two keys that it gives for compact codes. Raises ValueError as handle."""
        made = CompactKey(self.raw, self.version)
        hold(made)
        return made

    def may(self, operation: Operation) -> bool:
        """By its state and usages; Keyring.may asks the minimum versions too."""
        return operation in allowed(self.state) and (operation.usage is None or operation.usage in self.usages)

    def named(self) -> str:
        return f"{self.purpose} version {self.version}"


def new_entry(
    purpose: Purpose,
    version: int,
    state: KeyState,
    created_at: int,
    raw: bytearray | memoryview,
    *,
    usages: Iterable[Usage] | None = None,
) -> Entry:
    """An entry with a copy of the key's bytes. Raises ValueError for another length or version, and for an SM2 key out
    of its range; InputError for usages that the purpose has not."""
    if not 1 <= version <= MAX_VERSION:
        raise ValueError(f"a key version is 1 to {MAX_VERSION}, not {version}")
    if len(raw) != purpose.size:
        raise ValueError(f"a {purpose} has {purpose.size} bytes, not {len(raw)}")
    bound = purpose.usages if usages is None else frozenset(usages)
    if not bound or not bound <= purpose.usages:
        raise InputError(f"usages of a {purpose}: {', '.join(sorted(purpose.usages))}, or some of them")
    public_key = bytes(PrivateKey(raw).public_key) if purpose is Purpose.SIGNING_KEY else b""
    check_value = sm3(public_key).hex().upper()[:6] if public_key else KeyHandle(raw).check_value
    digest_value = sm3(raw).hex().upper()[:8]
    kept = bytearray() if state in GONE else bytearray(raw)
    return Entry(purpose, version, bound, ((state, created_at),), check_value, digest_value, public_key, kept)


class Keyring:
    """The entries, in order of making. A context manager: leaving it wipes every key.

    office: who is in charge, and what is under way. deeds: what was done to it since it was opened; the store writes
    them to the audit log before it stores the keyring.
    """

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        minimums: Mapping[Purpose, Minimum] | None = None,
        office: Office | None = None,
    ) -> None:
        self._entries = list(entries)
        self.office = office or Office()
        self._minimums = dict(minimums or {})
        self.deeds: list[Deed] = []
        names = [(e.purpose, e.version) for e in self._entries]
        if len(set(names)) < len(names):
            raise ValueError("a keyring has each version of a key once")

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries)

    @property
    def minimums(self) -> dict[Purpose, Minimum]:
        """Those that are not 1 and 1."""
        return dict(self._minimums)

    def entry(self, purpose: Purpose, version: int) -> Entry:
        """Raises NotFound."""
        for e in self._entries:
            if (e.purpose, e.version) == (purpose, version):
                return e
        raise NotFound(f"there is no {purpose} version {version}: `ehc keys list` shows what there is")

    def minimum(self, purpose: Purpose) -> Minimum:
        return self._minimums.get(purpose, Minimum())

    def may(self, entry: Entry, operation: Operation) -> bool:
        """Whether the state, the usages and the minimum versions allow it."""
        return entry.may(operation) and (operation.usage is None or entry.version >= self._least(entry, operation))

    def _least(self, entry: Entry, operation: Operation) -> int:
        least = self.minimum(entry.purpose)
        return least.making if operation.makes else least.checking

    def usable(self, purpose: Purpose, operation: Operation) -> list[Entry]:
        """The versions that may, newest first. The first of those that may make is the one that does."""
        own = [e for e in self._entries if e.purpose is purpose and self.may(e, operation)]
        return sorted(own, key=lambda e: -e.version)

    def handles(self, purpose: Purpose, operation: Operation) -> list[KeyHandle]:
        """Handles of the versions of an SM4 key that may, newest first."""
        return [e.handle() for e in self.usable(purpose, operation)]

    def compact_keys(self) -> list[CompactKey]:
        """What the protection keys that may open give for compact codes, the one that seals first."""
        makers = self.usable(Purpose.PROTECTION_KEY, Operation.SEAL)[:1]
        others = [e for e in self.usable(Purpose.PROTECTION_KEY, Operation.OPEN) if e not in makers]
        return [e.compact_key() for e in makers + others]

    def add(
        self,
        purpose: Purpose,
        raw: bytearray,
        now: int,
        *,
        state: KeyState = KeyState.ACTIVE,
        usages: Iterable[Usage] | None = None,
        how: str = "generate",
    ) -> Entry:
        """Take a copy of a key as the next version of its purpose, active (then those before it that are active are
        deactivated) or pre-active.

        raw: purpose.size bytes. now: seconds since 1970. how: the deed's name in the audit log. Raises Conflict when
        the key is there already or versions are used up, else as new_entry.
        """
        own = [e for e in self._entries if e.purpose is purpose]
        _refuse_known(own, raw)
        version = max((e.version for e in own), default=0) + 1
        if version > MAX_VERSION:
            raise Conflict(f"{purpose.value} has used all its {MAX_VERSION} versions: start a new keyring")
        new = new_entry(purpose, version, state, now, raw, usages=usages)
        for older in own:
            if state is KeyState.ACTIVE and older.state is KeyState.ACTIVE:
                self.step(purpose, older.version, Operation.DEACTIVATE, now)
        self._entries.append(new)
        self.note(how, new, state.value)
        return new

    def step(self, purpose: Purpose, version: int, operation: Operation, now: int, detail: str = "") -> Entry:
        """Lead a version to its next state (LEADS_TO). Its bytes are wiped when it is archived or destroyed.

        Raises NotFound, and Conflict when its state does not allow it.
        """
        old = self.entry(purpose, version)
        self.require(old, operation)
        if LEADS_TO[operation] in GONE:
            _forget(old)
        return self._moved(old, LEADS_TO[operation], now, operation, detail)

    def restore(self, purpose: Purpose, version: int, raw: bytearray, now: int) -> Entry:
        """Give an archived version its bytes back; it is again what it was before. Raises as step, and InputError when
        these are not its bytes."""
        old = self.entry(purpose, version)
        self.require(old, Operation.RESTORE)
        same = new_entry(purpose, version, old.state, now, raw)
        if (same.check_value, same.digest_value) != (old.check_value, old.digest_value):
            raise InputError(f"these are not the bytes of {old.named()}: its check value is {old.check_value}")
        old.raw[:] = raw
        _forget(same)
        before = [state for state, _ in old.history if state is not KeyState.ARCHIVED][-1]
        return self._moved(old, before, now, Operation.RESTORE)

    def set_minimum(self, purpose: Purpose, *, making: int | None = None, checking: int | None = None) -> Minimum:
        """From now on older versions make, or check, nothing. Raises InputError for no version number, Conflict when
        no version would be left to make anything."""
        old = self.minimum(purpose)
        new = Minimum(old.making if making is None else making, old.checking if checking is None else checking)
        if not all(1 <= version <= MAX_VERSION for version in new):
            raise InputError(f"a minimum is a version, 1 to {MAX_VERSION}")
        active = [e.version for e in self._entries if e.purpose is purpose and e.state is KeyState.ACTIVE]
        if making is not None and max(active, default=0) < making:
            raise Conflict(f"no active {purpose} has version {making} or later: activate one first")
        self._minimums[purpose] = new
        self.deeds.append(Deed("minimum", purpose, new.making, "", f"making {new.making}, checking {new.checking}"))
        return new

    def require(self, entry: Entry, operation: Operation) -> None:
        """Raises Conflict that says what the state allows."""
        if not self.may(entry, operation):
            able = ", ".join(sorted(op for op in allowed(entry.state) if op.usage is None)) or "nothing"
            raise Conflict(f"{entry.named()} is {entry.state}: {operation} is not possible; what is: {able}")

    def note(self, operation: str, entry: Entry, detail: str = "") -> None:
        """Remember a deed for the audit log."""
        self.deeds.append(Deed(operation, entry.purpose, entry.version, entry.check_value, detail))

    def note_of(self, operation: str, purpose: Purpose, detail: str) -> None:
        """The same for what is done to no version yet."""
        self.deeds.append(Deed(operation, purpose, 0, "", detail))

    def note_about(self, operation: str, detail: str) -> None:
        """The same for what is done to no key."""
        self.deeds.append(Deed(operation, "", 0, "", detail))

    def _moved(self, old: Entry, state: KeyState, now: int, operation: Operation, detail: str = "") -> Entry:
        new = dataclasses.replace(old, history=(*old.history, (state, now)))
        self._entries[self._entries.index(old)] = new
        self.note(operation.value, new, detail)
        return new

    def wipe(self) -> None:
        """Overwrite every key; entries keep what `list` shows."""
        for e in self._entries:
            _forget(e)
        self.office.wipe()

    def __enter__(self) -> Keyring:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return f"<Keyring {self._entries}>"


def _forget(entry: Entry) -> None:
    wipe(entry.raw)
    entry.raw.clear()


def _refuse_known(own: Iterable[Entry], raw: bytearray) -> None:
    digest = sm3(raw).hex().upper()[:8]
    for known in own:
        gone = not known.raw and known.digest_value == digest  # its bytes are no longer here to compare
        if gone or hmac.compare_digest(known.raw, raw):
            raise Conflict(
                f"this {known.purpose.value} is in the keyring already: version {known.version}, {known.state}"
            )


_NIBBLES = {ord(digit): int(digit, 16) for digit in "0123456789abcdefABCDEF"}


def key_of_hex(text: bytearray, size: int = KEY_BYTES) -> bytearray:
    """The bytes of 2·size hex digits, white space between them allowed. Raises InputError that shows none of them."""
    digits = [c for c in text if c not in b" \t\r\n"]
    wrong = next((i for i, c in enumerate(digits, 1) if c not in _NIBBLES), None)
    if wrong is not None:
        raise InputError(f"key: character {wrong} is no hex digit; a key is {2 * size} hex digits")
    if len(digits) != 2 * size:
        raise InputError(f"key: {len(digits)} hex digits found; a key is {2 * size} hex digits")
    return bytearray(_NIBBLES[high] << 4 | _NIBBLES[low] for high, low in zip(digits[::2], digits[1::2], strict=True))


_SAMPLES = (
    bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"),
    bytes.fromhex("11223344556677888877665544332211"),
)


def published_sample(raw: bytearray) -> bool:
    """True for the keys printed in public interface documents: everybody knows them, they are for tests only."""
    return raw in _SAMPLES
