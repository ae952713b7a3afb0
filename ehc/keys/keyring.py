"""The keyring: which keys there are, in which version and state (密钥管理, 5.3)."""

from __future__ import annotations

import dataclasses
import enum
import hmac
from dataclasses import dataclass, field
from types import TracebackType

from ehc.crypto import CompactKey, KeyHandle, wipe
from ehc.errors import Conflict, InputError

KEY_BYTES = 16
MAX_VERSION = 255  # one byte in the field's wire formats


class Purpose(enum.StrEnum):
    """What a key is for."""

    SECURITY_KEY = "security_key"  # 安全密钥: makes card ids
    PROTECTION_KEY = "protection_key"  # 保护密钥: makes validity tokens


class KeyState(enum.StrEnum):
    """Where a key stands in its life; at most one is active per purpose."""

    ACTIVE = "active"  # makes and checks
    DEACTIVATED = "deactivated"  # checks what it made before


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of one key. Its bytes stay out of repr and are empty once the keyring is wiped."""

    purpose: Purpose
    version: int  # 1..255
    state: KeyState
    created_at: int  # seconds since 1970
    check_value: str  # 6 upper-case hex digits
    raw: bytearray = field(repr=False, compare=False)

    def handle(self) -> KeyHandle:
        """Raises ValueError after the keyring was wiped."""
        return KeyHandle(self.raw, self.purpose.value, self.version)

    def compact_key(self) -> CompactKey:
        """Of a protection key: the two keys that it gives for compact codes. Raises ValueError as handle."""
        return CompactKey(self.raw, self.version)


def new_entry(purpose: Purpose, version: int, state: KeyState, created_at: int, raw: bytearray | memoryview) -> Entry:
    """An entry with a copy of 16 key bytes. Raises ValueError for another length or version."""
    if not 1 <= version <= MAX_VERSION:
        raise ValueError(f"a key version is 1 to {MAX_VERSION}, not {version}")
    check_value = KeyHandle(raw, purpose.value, version).check_value
    return Entry(purpose, version, state, created_at, check_value, bytearray(raw))


class Keyring:
    """The entries, in order of making. A context manager: leaving it wipes every key."""

    def __init__(self, entries: list[Entry] | None = None) -> None:
        self._entries = entries or []
        names = [(e.purpose, e.version) for e in self._entries]
        active = [e.purpose for e in self._entries if e.state is KeyState.ACTIVE]
        if len(set(names)) < len(names) or len(set(active)) < len(active):
            raise ValueError("a keyring has each version of a key once, and one active version at most")

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries)

    def add(self, purpose: Purpose, raw: bytearray, now: int) -> Entry:
        """Take a copy of a key as the next version of its purpose; it becomes the active one, the last is deactivated.

        raw: 16 bytes. now: seconds since 1970. Raises Conflict when the key is there already or versions are used up.
        """
        versions = [e for e in self._entries if e.purpose is purpose]
        for known in versions:
            if hmac.compare_digest(known.raw, raw):
                raise Conflict(
                    f"this {purpose.value} is in the keyring already: version {known.version}, {known.state}"
                )
        version = max((e.version for e in versions), default=0) + 1
        if version > MAX_VERSION:
            raise Conflict(f"{purpose.value} has used all its {MAX_VERSION} versions: start a new keyring")
        new = new_entry(purpose, version, KeyState.ACTIVE, now, raw)
        self._entries = [_deactivated(e) if e.purpose is purpose else e for e in self._entries] + [new]
        return new

    def active(self, purpose: Purpose) -> KeyHandle | None:
        """A handle of the active version."""
        return next((e.handle() for e in self._entries if e.purpose is purpose and e.state is KeyState.ACTIVE), None)

    def deactivated(self, purpose: Purpose) -> list[KeyHandle]:
        """Handles of the versions that only check, newest first."""
        old = [e for e in self._entries if e.purpose is purpose and e.state is KeyState.DEACTIVATED]
        return [e.handle() for e in sorted(old, key=lambda e: e.version, reverse=True)]

    def compact_keys(self) -> list[CompactKey]:
        """What every protection key gives for compact codes, the active one first."""
        keys = [e for e in self._entries if e.purpose is Purpose.PROTECTION_KEY]
        return [e.compact_key() for e in sorted(keys, key=lambda e: (e.state is not KeyState.ACTIVE, -e.version))]

    def wipe(self) -> None:
        """Overwrite every key; entries keep what `list` shows."""
        for e in self._entries:
            wipe(e.raw)
            e.raw.clear()

    def __enter__(self) -> Keyring:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return f"<Keyring {self._entries}>"


def _deactivated(e: Entry) -> Entry:
    return dataclasses.replace(e, state=KeyState.DEACTIVATED)


_NIBBLES = {ord(digit): int(digit, 16) for digit in "0123456789abcdefABCDEF"}


def key_of_hex(text: bytearray) -> bytearray:
    """The 16 bytes of 32 hex digits, white space between them allowed. Raises InputError that shows none of them."""
    digits = [c for c in text if c not in b" \t\r\n"]
    wrong = next((i for i, c in enumerate(digits, 1) if c not in _NIBBLES), None)
    if wrong is not None:
        raise InputError(f"key: character {wrong} is no hex digit; a key is 32 hex digits")
    if len(digits) != 2 * KEY_BYTES:
        raise InputError(f"key: {len(digits)} hex digits found; a key is 32 hex digits")
    return bytearray(_NIBBLES[high] << 4 | _NIBBLES[low] for high, low in zip(digits[::2], digits[1::2], strict=True))


_SAMPLES = (
    bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"),
    bytes.fromhex("11223344556677888877665544332211"),
)


def published_sample(raw: bytearray) -> bool:
    """True for the keys printed in public interface documents: everybody knows them, they are for tests only."""
    return raw in _SAMPLES
