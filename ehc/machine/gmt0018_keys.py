"""A crypto machine behind GM/T 0018 as ports.KeyService: its keys lie wrapped under a KEK and are used by handle."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Self

import numpy as np

from ehc.crypto import (
    Batch,
    CompactVerdict,
    DerivedBatch,
    Profiles,
    RekeyedBatch,
    Window,
    constant_time_equal,
    derive_batch,
    sm4_ecb_encrypt,
    wipe,
)
from ehc.crypto.batch import Padding
from ehc.crypto.opened import check_opened, validity_block, validity_time
from ehc.crypto.sm2 import PublicKey
from ehc.errors import KeyUnavailable
from ehc.keys.keyring import Entry, Keyring
from ehc.keys.life import Operation, Purpose
from ehc.machine.gmt0018 import Device, Session
from ehc.machine.held import Versions, versions_of
from ehc.model import Verdict
from ehc.ports import AuthenticTokens, Capability, Made

_REKEYING = (Operation.DERIVE, Operation.BACKFILL, Operation.LOOK_UP)


def _none(purpose: Purpose) -> Versions[bytes]:
    return Versions(purpose)


@dataclass(frozen=True)
class WrappedKeys:
    """Keys as ImportKeyWithKEK takes them, by purpose; signing: version -> index of a key pair behind `password`."""

    kek: int
    security: Versions[bytes] = field(default_factory=lambda: _none(Purpose.SECURITY_KEY))
    protection: Versions[bytes] = field(default_factory=lambda: _none(Purpose.PROTECTION_KEY))
    macs: Versions[bytes] = field(default_factory=lambda: _none(Purpose.MAC_KEY))
    signing: Mapping[int, int] = field(default_factory=dict)
    password: bytes = b""

    @classmethod
    def of(cls, keyring: Keyring, kek: int, wrapped: Callable[[Entry], bytes]) -> Self:
        """Of an open keyring, whose keys `wrapped` gives under the KEK."""
        return cls(
            kek,
            versions_of(keyring, Purpose.SECURITY_KEY, wrapped),
            versions_of(keyring, Purpose.PROTECTION_KEY, wrapped),
            versions_of(keyring, Purpose.MAC_KEY, wrapped),
        )

    def __repr__(self) -> str:
        return f"<WrappedKeys under KEK {self.kek}>"


class Gmt0018Machine:
    """ports.KeyService. Offers card ids and validity tokens; MACs where the library has HMAC under a handle; SM2
    signatures where `keys` names key pairs. The user key of a card leaves the machine as an answer, as the standard's
    interface has it, and is wiped here; security, protection and MAC keys never do."""

    def __init__(self, device: Device, keys: WrappedKeys) -> None:
        self._device, self._keys, self._local = device, keys, threading.local()

    @property
    def capabilities(self) -> frozenset[Capability]:
        missing = self._device.library.missing()
        found = {Capability.DERIVE, Capability.VALIDITY}
        found |= {Capability.MAC} if "mac" not in missing else set()
        found |= {Capability.SIGN} if self._keys.signing and "sign" not in missing else set()
        return frozenset(found)

    def _ecb(self, wrapped: bytes, data: bytes, *, decrypt: bool = False) -> bytes:
        session, key = self._key(wrapped)
        return session.ecb(key, data, decrypt=decrypt)

    def _key(self, wrapped: bytes) -> tuple[Session, ctypes.c_void_p]:
        """This thread's session, and the handle of a key in it: brought in once."""
        session = self._device.session()
        handles = self._local.__dict__.setdefault("handles", {})
        if wrapped not in handles:
            handles[wrapped] = session.import_key(wrapped, self._keys.kek)
        return session, handles[wrapped]

    # ---- card ids

    @property
    def security_key_version(self) -> int:
        return self._keys.security.first(Operation.DERIVE)[0]

    @property
    def security_key_check_value(self) -> str:
        return self._ecb(self._keys.security.first(Operation.DERIVE)[1], bytes(16))[:3].hex().upper()

    def derive_batch(self, rows: Batch, *, version: int | None = None, padding: Padding = "full") -> DerivedBatch:
        held = self._keys.security
        wrapped = held.first(Operation.DERIVE)[1] if version is None else held.one(version, Operation.DERIVE)
        return self._derived(rows, wrapped, padding)

    def rekey_batch(self, rows: Batch, *, old: int, new: int, padding: Padding = "full") -> RekeyedBatch:
        before, after = (
            self._derived(rows, self._keys.security.one(version, *_REKEYING), padding) for version in (old, new)
        )
        return RekeyedBatch(before.card_id, after.card_id, after.errors, after.card_id_lengths)

    def _derived(self, rows: Batch, wrapped: bytes, padding: Padding) -> DerivedBatch:
        """mindex here, user keys of all rows in the machine at once, card ids here."""
        made = derive_batch(rows, bytes(16), padding=padding)  # the mindex needs no key; its card ids are not these
        groups = made.mindex.reshape(-1, 4, 8)
        factor = groups[:, 0] ^ groups[:, 1] ^ groups[:, 2] ^ groups[:, 3]
        blocks = np.concatenate([factor, ~factor], axis=1).tobytes()
        user_keys = bytearray(self._ecb(wrapped, blocks)) if len(made) else bytearray()
        card_id = np.zeros_like(made.card_id)
        for row in np.flatnonzero(made.card_id_lengths).tolist():
            begin = int(rows.offsets[row])
            number = rows.data[begin : begin + int(rows.id_lengths[row])].tobytes().ljust(32, b"\0")
            sealed = sm4_ecb_encrypt(bytes(user_keys[16 * row : 16 * row + 16]), number)
            length = int(made.card_id_lengths[row])
            card_id[row] = np.frombuffer(sealed[:length].ljust(32, b"\0") if length < 32 else sealed, np.uint8)
        wipe(user_keys)
        return DerivedBatch(made.mindex, card_id, made.errors, made.card_id_lengths)

    # ---- validity tokens

    def seal_validity(self, time: int) -> str:
        return self._ecb(self._keys.protection.first(Operation.SEAL)[1], validity_block(time)).hex().upper()

    def check_token(
        self, payload: str | bytes, now: int, window: Window, profiles: Profiles = Profiles.NATIONAL
    ) -> Verdict:
        if Profiles.BOUND in profiles:
            self._lacks(Capability.BOUND)
        self._keys.protection.first(Operation.OPEN)
        opening = list(self._keys.protection.that_may(Operation.OPEN).values())
        return check_opened(payload, now, window, lambda token: self._opened(opening, token))

    def check_tokens(self, payloads: Sequence[str], profile: Profiles, window: Window) -> AuthenticTokens:
        if profile is not Profiles.NATIONAL:
            self._lacks(Capability.BOUND)
        newest = [self._keys.protection.first(Operation.OPEN)[1]]
        verdicts = [check_opened(one, 0, window, lambda token: self._opened(newest, token)) for one in payloads]
        return AuthenticTokens([one.expiry is not None for one in verdicts], [one.expiry or 0 for one in verdicts])

    def _opened(self, keys: Sequence[bytes], token: bytes) -> bytes | None:
        blocks = (self._ecb(wrapped, token, decrypt=True) for wrapped in keys)
        return next((block for block in blocks if validity_time(block) is not None), None)

    # ---- MAC and SM2

    def mac(self, data: bytes) -> Made:
        if Capability.MAC not in self.capabilities:
            self._lacks(Capability.MAC)
        version, wrapped = self._keys.macs.first(Operation.MAC)
        return Made(version, self._mac(wrapped, data))

    def check_mac(self, data: bytes, made: Made) -> bool:
        if Capability.MAC not in self.capabilities:
            self._lacks(Capability.MAC)
        self._keys.macs.first(Operation.CHECK_MAC)
        wrapped = self._keys.macs.that_may(Operation.CHECK_MAC).get(made.version)
        return wrapped is not None and constant_time_equal(self._mac(wrapped, data), made.value)

    def _mac(self, wrapped: bytes, data: bytes) -> bytes:
        session, key = self._key(wrapped)
        return session.hmac(key, data)

    def sign(self, message: bytes) -> Made:
        if not self._keys.signing:
            self._lacks(Capability.SIGN)
        version = max(self._keys.signing)
        session, index = self._device.session(), self._keys.signing[version]
        digest = PublicKey(session.public_key(index)).digest(message)
        with session.right(index, self._keys.password):
            return Made(version, session.sign(index, digest))

    def verification_keys(self) -> Mapping[int, bytes]:
        if not self._keys.signing:
            self._lacks(Capability.SIGN)
        session = self._device.session()
        return {version: session.public_key(index) for version, index in self._keys.signing.items()}

    # ---- what such a machine has no command for

    def _lacks(self, capability: Capability) -> NoReturn:
        raise KeyUnavailable(f"this crypto machine of GM/T 0018 offers no {capability}: see `ehc sdf report`")

    def seal_bound(self, card_id: str, expiry: int, sequence: int) -> str:
        self._lacks(Capability.BOUND)

    def seal_compact(self, account: int, *, issuer: int, node: int, serial: int, issued_at: int, ttl: int) -> str:
        self._lacks(Capability.COMPACT)

    def check_compact(self, payload: str | bytes, now: int, tolerance: int) -> CompactVerdict:
        self._lacks(Capability.COMPACT)

    def wrap(self, secret: bytes | bytearray, name: bytes) -> bytes:
        self._lacks(Capability.WRAP)

    def unwrap(self, wrapped: bytes, name: bytes) -> bytearray:
        self._lacks(Capability.WRAP)

    def close(self) -> None:
        self._device.close()

    def __repr__(self) -> str:
        return f"<Gmt0018Machine {self._device.library.path}>"
