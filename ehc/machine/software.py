"""The software crypto machine: the compiled core under key handles, in this process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

from ehc import crypto
from ehc.crypto import (
    Batch,
    CompactKey,
    CompactVerdict,
    DerivedBatch,
    KeyHandle,
    OpenedCompact,
    Profiles,
    RekeyedBatch,
    Window,
)
from ehc.crypto.batch import Padding
from ehc.errors import KeyUnavailable, Unavailable
from ehc.keys.keyring import Keyring
from ehc.keys.life import Operation, Purpose
from ehc.machine import wrapping
from ehc.machine.held import HeldKeys, T, Versions, held_of, held_of_handles, missing
from ehc.machine.random_tests import WatchedSource
from ehc.machine.tally import Kind, Tally
from ehc.model import Reason, Verdict
from ehc.ports import AuthenticTokens, Capability, Made

_OF_ANOTHER_VERSION = (Reason.FORGED, Reason.KEY_VERSION)
_TOKEN_CHECKED, _CODE_CHECKED = int(Kind.TOKEN_CHECKED), int(Kind.CODE_CHECKED)  # no cheap look-up in Python 3.11
_REKEYING = (Operation.DERIVE, Operation.BACKFILL, Operation.LOOK_UP)


class SoftwareMachine:
    """ports.KeyService over handles of active keys; a key that is None is missing: what needs it raises KeyUnavailable.

    older_protection_keys: versions that make nothing any more and still check what they made. compact_keys: what the
    protection keys give for compact codes, the active one's first. `SoftwareMachine.of` takes a whole keyring.
    """

    capabilities = frozenset(Capability)

    def __init__(
        self,
        security_key: KeyHandle | None,
        protection_key: KeyHandle | None,
        older_protection_keys: Iterable[KeyHandle] = (),
        compact_keys: Iterable[CompactKey] = (),
    ) -> None:
        self._held = held_of_handles(security_key, protection_key, older_protection_keys, compact_keys)
        self._refuses = ""
        self._random = WatchedSource(os.urandom)
        self.tally = Tally()

    @classmethod
    def of(cls, keyring: Keyring) -> SoftwareMachine:
        """Over an open keyring, which may be wiped then."""
        machine = cls(None, None)
        machine.take_over(keyring)
        return machine

    def take_over(self, keyring: Keyring) -> None:
        """From now on the keys of this keyring, in one step: a call sees the old or the new."""
        held = held_of(keyring)
        if not self._refuses:
            self._held = held

    def refuse(self, why: str) -> None:
        """The error state of GM/T 0030: from now on every call raises Unavailable that says why."""
        self._refuses, self._held = why, HeldKeys()

    @property
    def security_key_version(self) -> int:
        return self._deriving().version

    @property
    def security_key_check_value(self) -> str:
        return self._deriving().check_value

    def derive_batch(self, rows: Batch, *, version: int | None = None, padding: Padding = "full") -> DerivedBatch:
        key = self._deriving() if version is None else self._security(version, Operation.DERIVE)
        self.tally.many(Kind.CARD_MADE, key.version, len(rows))
        return crypto.derive_batch(rows, key, padding=padding)

    def rekey_batch(self, rows: Batch, *, old: int, new: int, padding: Padding = "full") -> RekeyedBatch:
        keys = [self._security(version, *_REKEYING) for version in (old, new)]
        self.tally.many(Kind.CARD_REKEYED, new, len(rows))
        return crypto.rekey_batch(rows, *keys, padding=padding)

    def _deriving(self) -> KeyHandle:
        return self._first(self._held.security, Operation.DERIVE)[1]

    def _security(self, version: int, *operations: Operation) -> KeyHandle:
        try:
            return self._held.security.one(version, *operations)
        except KeyUnavailable as error:
            self._refused(str(error))

    # ---- codes

    def seal_validity(self, time: int) -> str:
        key = self._held.sealing or self._no_sealing()
        self.tally.one(Kind.TOKEN_MADE, key.version)
        return crypto.make_token(time, key)

    def seal_bound(self, card_id: str, expiry: int, sequence: int) -> str:
        key = self._held.sealing or self._no_sealing()
        self.tally.one(Kind.TOKEN_MADE, key.version)
        return crypto.make_bound_token(card_id, expiry, key, sequence=sequence)

    def check_token(
        self, payload: str | bytes, now: int, window: Window, profiles: Profiles = Profiles.NATIONAL
    ) -> Verdict:
        """The verdict of the first version under which the token is authentic; FORGED when it is under none.

        Profile N names no version, so each that may open is tried, newest first.
        """
        keys = self.lend_keys()
        verdict = crypto.check_token(payload, keys[0], now, window=window, profiles=profiles)
        for key in keys[1:]:
            if verdict.reason not in _OF_ANOTHER_VERSION:
                break
            self.tally.one(Kind.TOKEN_CHECKED, key.version)
            verdict = crypto.check_token(payload, key, now, window=window, profiles=profiles)
        return verdict

    def check_tokens(self, payloads: Sequence[str], profile: Profiles, window: Window) -> AuthenticTokens:
        key = (self._held.opening or self._no_opening())[0]
        self.tally.many(Kind.TOKEN_CHECKED, key.version, len(payloads))
        found = crypto.check_batch(payloads, key, 0, window=window, profiles=profile)
        return AuthenticTokens(found.authentic.tolist(), found.expiry.tolist())

    def seal_compact(self, account: int, *, issuer: int, node: int, serial: int, issued_at: int, ttl: int) -> str:
        held = self._held
        key = held.compact[(held.sealing or self._no_sealing()).version]
        self.tally.one(Kind.CODE_MADE, key.version)
        return crypto.make_compact_code(
            key, account=account, issuer=issuer, node=node, serial=serial, issued_at=issued_at, ttl=ttl
        )

    def check_compact(self, payload: str | bytes, now: int, tolerance: int) -> CompactVerdict:
        return crypto.check_compact(payload, self.lend_compact_keys(), now, tolerance=tolerance)

    def lend_keys(self) -> Sequence[KeyHandle]:
        """Those that may open tokens, newest first, for one check by the first of them, which is counted now."""
        keys = self._held.opening or self._no_opening()
        self.tally.one(_TOKEN_CHECKED, keys[0].version)
        return keys

    def lend_compact_keys(self) -> Mapping[int, CompactKey]:
        """Those that may open compact codes, by version, for one check, which is counted now."""
        held = self._held
        keys = held.compact if held.opening else self._no_opening()
        self.tally.one(_CODE_CHECKED, held.opening[0].version)
        return keys

    def open_compacts(self, payloads: Sequence[str]) -> list[OpenedCompact | None]:
        return crypto.open_compacts(payloads, self.lend_active_compact_key(len(payloads)))

    def lend_active_compact_key(self, codes: int) -> CompactKey:
        """The newest, for checks of so many codes, which are counted now."""
        held = self._held
        version = (held.opening or self._no_opening())[0].version
        self.tally.many(Kind.CODE_CHECKED, version, codes)
        return held.compact[version]

    def open_alias(self, alias: bytes, day: int) -> int | None:
        held = self._held
        keys = held.compact.values() if held.opening else self._no_opening()
        self.tally.one(Kind.CODE_CHECKED, held.opening[0].version)
        return next((account for key in keys if (account := key.open_alias(alias, day)) is not None), None)

    def _no_sealing(self) -> NoReturn:
        self._refused(missing(Purpose.PROTECTION_KEY, Operation.SEAL))

    def _no_opening(self) -> NoReturn:
        self._refused(missing(Purpose.PROTECTION_KEY, Operation.OPEN))

    def _refused(self, missing: str) -> NoReturn:
        if self._refuses:
            raise Unavailable(f"the crypto machine refuses work: {self._refuses}")
        raise KeyUnavailable(missing) from None

    # ---- MAC, SM2, wrapping

    def mac(self, data: bytes) -> Made:
        version, key = self._first(self._held.macs, Operation.MAC)
        self.tally.one(Kind.MAC_MADE, version)
        return Made(version, key.mac(data))

    def check_mac(self, data: bytes, made: Made) -> bool:
        self._first(self._held.macs, Operation.CHECK_MAC)
        self.tally.one(Kind.MAC_CHECKED, made.version & 0xFF)
        key = self._held.macs.that_may(Operation.CHECK_MAC).get(made.version)
        return key is not None and crypto.constant_time_equal(key.mac(data), made.value)

    def sign(self, message: bytes) -> Made:
        version, key = self._first(self._held.signing, Operation.SIGN)
        self.tally.one(Kind.SIGNED, version)
        return Made(version, key.sign(message))

    def verification_keys(self) -> Mapping[int, bytes]:
        if self._refuses:
            self._refused("")
        return self._held.verification

    def wrap(self, secret: bytes | bytearray, name: bytes) -> bytes:
        version, key = self._first(self._held.wrapping, Operation.WRAP)
        self.tally.one(Kind.WRAPPED, version)
        salt = self._random(wrapping.SALT_BYTES)
        return wrapping.wrap(secret, name, version, salt, crypto.sm4_ecb_encrypt(key, salt))

    def unwrap(self, wrapped: bytes, name: bytes) -> bytearray:
        self._first(self._held.wrapping, Operation.UNWRAP)
        found = wrapping.read_wrapped(wrapped)
        try:
            key = self._held.wrapping.one(found.version, Operation.UNWRAP)
        except KeyUnavailable as error:
            self._refused(str(error))
        self.tally.one(Kind.UNWRAPPED, found.version)
        return wrapping.unwrap(found, name, crypto.sm4_ecb_encrypt(key, found.salt))

    def _first(self, versions: Versions[T], operation: Operation) -> tuple[int, T]:
        try:
            return versions.first(operation)
        except KeyUnavailable as error:
            self._refused(str(error))

    def __repr__(self) -> str:
        return f"<SoftwareMachine {self._held.security} {self._held.protection}>"
