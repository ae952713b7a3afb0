"""Signed codes (E3) where there is no network: the list that the server signs for terminals, and what a terminal does.

The list holds the issuer's public keys, the scenes that policy marks as offline, and what was revoked while codes of
before are still alive: single codes by their serial, people by their aliases of the day. A terminal takes a list only
when a key signed it that it trusts already: the first one is given to it by hand, later ones come with the lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from ehc.crypto.signed import SignedVerdict, check_signed
from ehc.crypto.sm2 import PublicKey
from ehc.errors import InputError
from ehc.model import Reason

LABEL = b"ehc offline list v1\n"
"""Before the list in what is signed, so that no signature of a code is one of a list."""


class OfflineList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As JSON, with its fields in this order."""

    issuer: int  # GB/T 2260 code
    issued_at: int  # seconds since 1970, as all times
    until: int  # nothing is accepted by this list after
    tolerance: int  # seconds that two clocks may differ
    keys: dict[int, str]  # version -> public key x ‖ y, 128 hex digits
    scenes: list[str]  # where signed codes are accepted
    single_use: list[str]  # of these, where a code serves once
    codes: list[str]  # revoked: serial names, 20 hex digits
    aliases: dict[str, int]  # alias, 32 hex digits -> codes issued before this are revoked


class SignedList(msgspec.Struct, frozen=True):
    """list: the text that was signed, as it is."""

    list: str
    key_version: int
    signature: str  # r ‖ s, 128 hex digits, of LABEL and the text


def open_list(signed: SignedList, trusted: Iterable[bytes]) -> OfflineList:
    """trusted: public keys of 64 bytes. Raises InputError for what none of them signed, and for what is no list."""
    try:
        signature = bytes.fromhex(signed.signature)
        message = LABEL + signed.list.encode()
        if not any(PublicKey(key).verify(signature, message) for key in trusted if len(signature) == 64):
            raise InputError("list: signed by no key that this terminal trusts")
        return msgspec.json.decode(signed.list, type=OfflineList)
    except (ValueError, msgspec.MsgspecError) as error:
        raise error if isinstance(error, InputError) else InputError("list: malformed") from error


@dataclass(slots=True)
class OfflineTerminal:
    """The eight steps on a terminal without network. taken: serial names of the codes that it accepted where one serves
    once; whoever stores them keeps them over a restart."""

    list: OfflineList
    taken: set[bytes] = field(default_factory=set)
    _keys: Mapping[int, bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._keys = {version: bytes.fromhex(key) for version, key in self.list.keys.items()}

    def check(self, payload: str | bytes, scene: str, now: int) -> SignedVerdict:
        """A refusal is a value. Raises InputError when the list is too old to go by."""
        if now > self.list.until + self.list.tolerance:
            raise InputError("list: it is over; fetch another one before codes are checked without network")
        # 1 to 5
        found = check_signed(payload, self._keys, now, issuer=self.list.issuer, tolerance=self.list.tolerance)
        return found if found.reason is not Reason.ACCEPTED else found.with_reason(self._judge(found, scene))

    def _judge(self, found: SignedVerdict, scene: str) -> Reason:
        # 6 revocation
        if found.serial_name.hex() in self.list.codes or (found.issued_at or 0) < self.list.aliases.get(
            found.alias.hex(), 0
        ):
            return Reason.REVOKED
        # 7 scene policy
        if scene not in self.list.scenes:
            return Reason.SCENE
        # 8 replay claim
        if scene in self.list.single_use:
            if found.serial_name in self.taken:
                return Reason.REPLAYED
            self.taken.add(found.serial_name)
        return Reason.ACCEPTED
