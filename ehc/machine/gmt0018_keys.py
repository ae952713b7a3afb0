"""A crypto machine behind GM/T 0018 as ports.KeyService: its keys are kept sealed and are used by handle."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from ehc.crypto import (
    Batch,
    CompactVerdict,
    DerivedBatch,
    OpenedCompact,
    Profiles,
    RekeyedBatch,
    Window,
    constant_time_equal,
    derive_batch,
    sm4_ecb_decrypt,
    sm4_ecb_encrypt,
    wipe,
)
from ehc.crypto.batch import Padding
from ehc.crypto.opened import (
    bound_block,
    bound_fields,
    card_factor,
    check_opened,
    validity_block,
    validity_time,
)
from ehc.crypto.sm2 import PublicKey
from ehc.crypto.sm4 import sm4_encrypt_each
from ehc.errors import KeyringError, KeyUnavailable
from ehc.keys.life import Operation
from ehc.machine import wrapping
from ehc.machine.gmt0018 import Device, MachineError, Session
from ehc.machine.gmt0018_kept import PURPOSES, KeptKeys, Sealed
from ehc.machine.held import Versions
from ehc.machine.tally import Kind, Tally
from ehc.model import BoundToken, Reason, Verdict
from ehc.ports import AuthenticTokens, Capability, Made

_REKEYING = (Operation.DERIVE, Operation.BACKFILL, Operation.LOOK_UP)
_FORGOTTEN = {0x01000000 + code for code in (0x03, 0x05, 0x06, 0x08)}  # COMMFAIL, OPENDEVICE, OPENSESSION, KEYNOTEXIST


@dataclass(frozen=True)
class MachineKeys:
    """Keys as the machine takes them, by purpose. signing: version -> place of a pair of its own; password: of its
    private keys, at every place that is used."""

    security: Versions[Sealed]
    protection: Versions[Sealed]
    macs: Versions[Sealed]
    wraps: Versions[Sealed]
    signing: Mapping[int, int]
    password: bytes = field(repr=False)

    @classmethod
    def of(cls, kept: KeptKeys, signing: Mapping[int, int] | None = None, password: bytes = b"") -> Self:
        security, protection, macs, wraps = map(kept.of, PURPOSES)
        return cls(security, protection, macs, wraps, signing or {}, password)

    def all(self) -> list[tuple[str, Sealed]]:
        """Every key that may anything, with its name."""
        held = (self.security, self.protection, self.macs, self.wraps)
        return [(f"{one.purpose} version {v}", key) for one in held for v, key in one.that_may(*Operation).items()]


class Gmt0018Machine:
    """ports.KeyService. The user key of a card, the key of a card-bound token and that of one wrapping leave the
    machine as answers, as the standard's interface has it, and are used and dropped here; no other key ever leaves it.

    A session that the machine forgot (it was restarted) is opened once more, and its keys are brought in again.
    """

    def __init__(self, device: Device, keys: MachineKeys) -> None:
        self._device, self._keys, self._local = device, keys, threading.local()
        self.capabilities, self.tally = self._offered(), Tally()

    def take_over(self, keys: MachineKeys) -> None:
        """From now on these keys. Raises KeyringError for one that does not open as what it is said to be."""
        session = self._device.session()
        try:
            handles = _brought_in(session, keys.all(), keys.password)
            found = {key: session.ecb(handle, bytes(16))[:3].hex().upper() for key, handle in handles.items()}
        except MachineError as error:
            raise KeyringError(str(error)) from error
        for name, key in keys.all():
            if found[key] != key.check_value:
                raise KeyringError(f"{name}: the machine's key has check value {found[key]}, not {key.check_value}")
        self._forget()
        self._local.keys, self._local.handles = keys, handles
        self._keys = keys

    def _forget(self) -> None:
        """The handles of this thread, as far as the machine knows them."""
        for handle in self._local.__dict__.pop("handles", {}).values():
            with suppress(MachineError):
                self._device.session().destroy(handle)

    def _offered(self) -> frozenset[Capability]:
        missing = self._device.library.missing()
        found = {Capability.DERIVE, Capability.VALIDITY, Capability.BOUND, Capability.WRAP}
        found |= {Capability.MAC} if "mac" not in missing else set()
        found |= {Capability.SIGN} if self._keys.signing and "sign" not in missing else set()
        return frozenset(found)

    def _ecb(self, key: Sealed, data: bytes, *, decrypt: bool = False) -> bytes:
        return self._with(key, lambda session, handle: session.ecb(handle, data, decrypt=decrypt))

    def _with(self, key: Sealed, act: Callable[[Session, ctypes.c_void_p], bytes]) -> bytes:
        try:
            return act(*self._key(key))
        except MachineError as error:
            if error.code not in _FORGOTTEN:
                raise
        self._device.renew_session()
        self._local.__dict__.clear()
        return act(*self._key(key))

    def _key(self, key: Sealed) -> tuple[Session, ctypes.c_void_p]:
        """This thread's session, and the handle of a key in it: all are brought in once."""
        session, local, keys = self._device.session(), self._local, self._keys
        if getattr(local, "keys", None) is not keys:
            self._forget()
            local.handles = _brought_in(session, keys.all(), keys.password)
            local.keys = keys
        if key not in local.handles:  # asked for just before the keys were replaced
            local.handles |= _brought_in(session, [("a key that was replaced", key)], keys.password)
        return session, local.handles[key]

    # ---- card ids

    @property
    def security_key_version(self) -> int:
        return self._keys.security.first(Operation.DERIVE)[0]

    @property
    def security_key_check_value(self) -> str:
        return self._keys.security.first(Operation.DERIVE)[1].check_value

    def derive_batch(self, rows: Batch, *, version: int | None = None, padding: Padding = "full") -> DerivedBatch:
        held = self._keys.security
        wanted = held.first(Operation.DERIVE)[0] if version is None else version
        key = held.one(wanted, Operation.DERIVE)
        self.tally.many(Kind.CARD_MADE, wanted, len(rows))
        return self._derived(rows, key, padding)

    def rekey_batch(self, rows: Batch, *, old: int, new: int, padding: Padding = "full") -> RekeyedBatch:
        keys = [self._keys.security.one(version, *_REKEYING) for version in (old, new)]
        self.tally.many(Kind.CARD_REKEYED, new, len(rows))
        before, after = (self._derived(rows, key, padding) for key in keys)
        return RekeyedBatch(before.card_id, after.card_id, after.errors, after.card_id_lengths)

    def _derived(self, rows: Batch, key: Sealed, padding: Padding) -> DerivedBatch:
        """mindex here, user keys of all rows in the machine at once, card ids here."""
        made = derive_batch(rows, bytes(16), padding=padding)  # the mindex needs no key; its card ids are not these
        groups = made.mindex.reshape(-1, 4, 8)
        factor = groups[:, 0] ^ groups[:, 1] ^ groups[:, 2] ^ groups[:, 3]
        blocks = np.concatenate([factor, ~factor], axis=1).tobytes()
        user_keys = bytearray(self._ecb(key, blocks))
        card_id = _numbers(rows, made.card_id_lengths)
        twice = np.repeat(np.frombuffer(user_keys, np.uint8).reshape(-1, 16), 2, axis=0)
        sm4_encrypt_each(twice, card_id.reshape(-1, 16))
        wipe(user_keys)
        twice[:] = 0
        card_id[np.arange(32) >= made.card_id_lengths[:, None]] = 0
        return DerivedBatch(made.mindex, card_id, made.errors, made.card_id_lengths)

    # ---- validity tokens

    def seal_validity(self, time: int) -> str:
        version, key = self._keys.protection.first(Operation.SEAL)
        self.tally.one(Kind.TOKEN_MADE, version)
        return self._ecb(key, validity_block(time)).hex().upper()

    def seal_bound(self, card_id: str, expiry: int, sequence: int) -> str:
        version, key = self._keys.protection.first(Operation.SEAL)
        block = bound_block(expiry, version, sequence)
        self.tally.one(Kind.TOKEN_MADE, version)
        return sm4_ecb_encrypt(self._ecb(key, card_factor(card_id)), block).hex().upper()

    def check_token(
        self, payload: str | bytes, now: int, window: Window, profiles: Profiles = Profiles.NATIONAL
    ) -> Verdict:
        self._keys.protection.first(Operation.OPEN)
        opening = self._keys.protection.that_may(Operation.OPEN)
        return self._checked(payload, now, window, profiles, opening)

    def check_tokens(self, payloads: Sequence[str], profile: Profiles, window: Window) -> AuthenticTokens:
        newest = dict([self._keys.protection.first(Operation.OPEN)])
        verdicts = [self._checked(one, 0, window, profile, newest) for one in payloads]
        return AuthenticTokens([one.expiry is not None for one in verdicts], [one.expiry or 0 for one in verdicts])

    def _checked(
        self, payload: str | bytes, now: int, window: Window, profiles: Profiles, keys: Mapping[int, Sealed]
    ) -> Verdict:
        self.tally.one(Kind.TOKEN_CHECKED, next(iter(keys)))

        def opened(token: bytes) -> bytes | None:
            blocks = (self._ecb(key, token, decrypt=True) for key in keys.values())
            return next((block for block in blocks if validity_time(block) is not None), None)

        def bound(card_id: str, token: bytes) -> BoundToken | Reason:
            said = [self._bound(version, key, card_id, token) for version, key in keys.items()]
            return next((one for one in said if isinstance(one, BoundToken)), said[-1])

        national, own = Profiles.NATIONAL in profiles, Profiles.BOUND in profiles
        return check_opened(payload, now, window, opened if national else None, bound if own else None)

    def _bound(self, version: int, key: Sealed, card_id: str, token: bytes) -> BoundToken | Reason:
        found = bound_fields(sm4_ecb_decrypt(self._ecb(key, card_factor(card_id)), token))
        if found is None:
            return Reason.FORGED
        return found if found.key_version == version else Reason.KEY_VERSION

    # ---- MAC and SM2

    def mac(self, data: bytes) -> Made:
        if Capability.MAC not in self.capabilities:
            self._lacks(Capability.MAC)
        version, key = self._keys.macs.first(Operation.MAC)
        self.tally.one(Kind.MAC_MADE, version)
        return Made(version, self._mac(key, data))

    def check_mac(self, data: bytes, made: Made) -> bool:
        if Capability.MAC not in self.capabilities:
            self._lacks(Capability.MAC)
        self._keys.macs.first(Operation.CHECK_MAC)
        self.tally.one(Kind.MAC_CHECKED, made.version & 0xFF)
        key = self._keys.macs.that_may(Operation.CHECK_MAC).get(made.version)
        return key is not None and constant_time_equal(self._mac(key, data), made.value)

    def _mac(self, key: Sealed, data: bytes) -> bytes:
        return self._with(key, lambda session, handle: session.hmac(handle, data))

    def sign(self, message: bytes) -> Made:
        if not self._keys.signing:
            self._lacks(Capability.SIGN)
        version = max(self._keys.signing)
        self.tally.one(Kind.SIGNED, version)
        session, index = self._device.session(), self._keys.signing[version]
        digest = PublicKey(session.public_key(index)).digest(message)
        with session.right(index, self._keys.password):
            return Made(version, session.sign(index, digest))

    def verification_keys(self) -> Mapping[int, bytes]:
        if not self._keys.signing:
            self._lacks(Capability.SIGN)
        session = self._device.session()
        return {version: session.public_key(index) for version, index in self._keys.signing.items()}

    # ---- wrapping

    def wrap(self, secret: bytes | bytearray, name: bytes) -> bytes:
        version, key = self._keys.wraps.first(Operation.WRAP)
        self.tally.one(Kind.WRAPPED, version)
        salt = self._device.session().random(wrapping.SALT_BYTES)
        return wrapping.wrap(secret, name, version, salt, self._ecb(key, salt))

    def unwrap(self, wrapped: bytes, name: bytes) -> bytearray:
        self._keys.wraps.first(Operation.UNWRAP)
        found = wrapping.read_wrapped(wrapped)
        key = self._keys.wraps.one(found.version, Operation.UNWRAP)
        self.tally.one(Kind.UNWRAPPED, found.version)
        return wrapping.unwrap(found, name, self._ecb(key, found.salt))

    # ---- compact codes: their two keys are HMACs under the protection key, which the interface gives out and never
    # into a handle; whoever has them forges every code, so they stay unmade

    def _lacks(self, capability: Capability) -> NoReturn:
        raise KeyUnavailable(f"this crypto machine of GM/T 0018 offers no {capability}: see `ehc sdf report`")

    def seal_compact(self, account: int, *, issuer: int, node: int, serial: int, issued_at: int, ttl: int) -> str:
        self._lacks(Capability.COMPACT)

    def check_compact(self, payload: str | bytes, now: int, tolerance: int) -> CompactVerdict:
        self._lacks(Capability.COMPACT)

    def open_compacts(self, payloads: Sequence[str]) -> list[OpenedCompact | None]:
        self._lacks(Capability.COMPACT)

    def open_alias(self, alias: bytes, day: int) -> int | None:
        self._lacks(Capability.COMPACT)

    def close(self) -> None:
        self._device.close()

    def __repr__(self) -> str:
        return f"<Gmt0018Machine {self._device.library.path}>"


def _numbers(rows: Batch, lengths: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """id_type ‖ id_number of each row in 32 bytes, filled up with zeros; zeros alone for a row in error (length 0)."""
    column = np.arange(32)
    inside = (column < rows.id_lengths[:, None]) & (lengths[:, None] > 0)
    at = np.where(inside, rows.offsets[:-1, None] + column, 0)
    numbers: NDArray[np.uint8] = np.where(inside, rows.data[at] if len(rows.data) else 0, 0).astype(np.uint8)
    return numbers


def _brought_in(session: Session, keys: Sequence[tuple[str, Sealed]], password: bytes) -> dict[Sealed, ctypes.c_void_p]:
    """Every key under a handle of this session. Raises MachineError that names the one."""
    handles: dict[Sealed, ctypes.c_void_p] = {}
    rights: set[int] = set()
    with ExitStack() as held:
        for name, key in keys:
            try:
                if key.pair and key.pair not in rights:
                    held.enter_context(session.right(key.pair, password))
                    rights.add(key.pair)
                handles[key] = session.import_key(key.raw, key.kek) if key.kek else session.open(key.raw, key.pair)
            except MachineError as error:
                raise MachineError(f"{name}: {error}", error.code) from error
    return handles
