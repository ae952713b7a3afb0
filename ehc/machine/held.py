"""What a machine holds of a keyring: handles, and what each may be used for. No key byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ehc.crypto import CompactKey, KeyHandle, MacKey
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import KeyUnavailable
from ehc.keys.keyring import Entry, Keyring
from ehc.keys.life import KeyState, Operation, Purpose, allowed

T = TypeVar("T")


class Versions(Generic[T]):
    """The versions of one purpose, newest first."""

    def __init__(self, purpose: Purpose, held: Iterable[tuple[int, T, frozenset[Operation]]] = ()) -> None:
        self.purpose = purpose
        ordered = sorted(held, key=lambda one: -one[0])
        self._held = {version: (key, may) for version, key, may in ordered}

    def that_may(self, *operations: Operation) -> dict[int, T]:
        """Version -> key of those that may do one of these, newest first."""
        return {version: key for version, (key, may) in self._held.items() if not may.isdisjoint(operations)}

    def first(self, operation: Operation) -> tuple[int, T]:
        """The version that does it now. Raises KeyUnavailable."""
        found = next(iter(self.that_may(operation).items()), None)
        if found is None:
            raise KeyUnavailable(missing(self.purpose, operation))
        return found

    def one(self, version: int, *operations: Operation) -> T:
        """A named version. Raises KeyUnavailable when it is not there or may do none of these."""
        key, may = self._held.get(version, (None, frozenset()))
        if key is None or may.isdisjoint(operations):
            wanted = " or ".join(operations)
            known = ", ".join(map(str, self.that_may(*operations))) or "none"
            raise KeyUnavailable(f"{self.purpose} version {version} may not {wanted} here; versions that may: {known}")
        return key

    def __repr__(self) -> str:
        return " ".join(f"{key}" for key, _ in self._held.values())


def missing(purpose: Purpose, operation: Operation) -> str:
    return (
        f"there is no active {purpose} that may {operation}: `ehc keys list` shows what there is, "
        f"`ehc keys import --purpose {purpose}` adds one"
    )


@dataclass(frozen=True, slots=True)
class HeldKeys:
    """By purpose; compact: what the protection keys that may open give for compact codes, the one that seals first."""

    security: Versions[KeyHandle] = field(default_factory=lambda: Versions(Purpose.SECURITY_KEY))
    protection: Versions[KeyHandle] = field(default_factory=lambda: Versions(Purpose.PROTECTION_KEY))
    macs: Versions[MacKey] = field(default_factory=lambda: Versions(Purpose.MAC_KEY))
    wrapping: Versions[KeyHandle] = field(default_factory=lambda: Versions(Purpose.WRAPPING_KEY))
    signing: Versions[PrivateKey] = field(default_factory=lambda: Versions(Purpose.SIGNING_KEY))
    verification: Mapping[int, bytes] = field(default_factory=dict)
    compact: Mapping[int, CompactKey] = field(default_factory=dict)
    sealing: KeyHandle | None = field(init=False)  # these two are looked up once: every code asks for them
    opening: tuple[KeyHandle, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sealing", next(iter(self.protection.that_may(Operation.SEAL).values()), None))
        object.__setattr__(self, "opening", tuple(self.protection.that_may(Operation.OPEN).values()))


def held_of(keyring: Keyring) -> HeldKeys:
    """Of an open keyring, which may be wiped then."""
    return HeldKeys(
        security=versions_of(keyring, Purpose.SECURITY_KEY, Entry.handle),
        protection=versions_of(keyring, Purpose.PROTECTION_KEY, Entry.handle),
        macs=versions_of(keyring, Purpose.MAC_KEY, lambda entry: MacKey(entry.raw, entry.version)),
        wrapping=versions_of(keyring, Purpose.WRAPPING_KEY, Entry.handle),
        signing=versions_of(keyring, Purpose.SIGNING_KEY, lambda entry: PrivateKey(entry.raw)),
        verification={e.version: e.public_key for e in keyring.usable(Purpose.SIGNING_KEY, Operation.VERIFY)},
        compact={key.version: key for key in keyring.compact_keys()},
    )


def held_of_handles(
    security_key: KeyHandle | None,
    protection_key: KeyHandle | None,
    older_protection_keys: Iterable[KeyHandle],
    compact_keys: Iterable[CompactKey],
) -> HeldKeys:
    """Of the handles of active keys (None: there is none), and of protection keys that only open."""
    security = [] if security_key is None else [(security_key, _ACTIVE)]
    protection = [] if protection_key is None else [(protection_key, _ACTIVE)]
    protection += [(key, _DEACTIVATED) for key in older_protection_keys]
    return HeldKeys(
        security=_of_handles(Purpose.SECURITY_KEY, security),
        protection=_of_handles(Purpose.PROTECTION_KEY, protection),
        compact={key.version: key for key in compact_keys},
    )


_ACTIVE, _DEACTIVATED = allowed(KeyState.ACTIVE), allowed(KeyState.DEACTIVATED)


def _of_handles(purpose: Purpose, held: list[tuple[KeyHandle, frozenset[Operation]]]) -> Versions[KeyHandle]:
    wrong = [key for key, _ in held if key.purpose != purpose.value]
    if wrong:
        raise ValueError(f"{wrong[0]} does not serve as a {purpose.value}")
    return Versions(purpose, [(key.version, key, may) for key, may in held])


def versions_of(keyring: Keyring, purpose: Purpose, make: Callable[[Entry], T]) -> Versions[T]:
    own = [entry for entry in keyring.entries if entry.purpose is purpose and entry.raw]
    return Versions(purpose, [(entry.version, make(entry), _may(keyring, entry)) for entry in own])


def _may(keyring: Keyring, entry: Entry) -> frozenset[Operation]:
    return frozenset(operation for operation in Operation if keyring.may(entry, operation))
