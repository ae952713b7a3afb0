"""Who is in charge of a keyring, and what is under way in it; sealed with the keys.

Dual control (双人控制): what takes two takes the signatures of two enrolled custodians with different keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from ehc.errors import Conflict, Forbidden, NotFound
from ehc.keys.audit import Role
from ehc.keys.duties import Duty, duties
from ehc.keys.identity import Identity
from ehc.keys.life import Purpose

CUSTODIANS_NEEDED = 2


class Signer(Protocol):
    """An open credential."""

    @property
    def identity(self) -> Identity: ...

    @property
    def sign(self) -> Callable[[bytes], bytes]: ...


class Approval(msgspec.Struct, frozen=True):
    """name: of an enrolled custodian. signature: SM2 over what is approved."""

    name: str
    at: int
    signature: bytes


class Destruction(msgspec.Struct, frozen=True, kw_only=True):
    """A version that is to be destroyed: not before `due`, which is set when the second custodian approves."""

    purpose: Purpose
    version: int
    check_value: str
    requested_at: int
    delay: int  # seconds
    approvals: tuple[Approval, ...] = ()

    def text(self) -> bytes:
        """What the custodians sign."""
        parts = self.purpose, self.version, self.check_value, self.requested_at, self.delay
        return b"ehc destroy v1\n" + msgspec.json.encode(parts)

    @property
    def due(self) -> int | None:
        """None until two have approved."""
        return self.approvals[-1].at + self.delay if len(self.approvals) >= CUSTODIANS_NEEDED else None


class Component(msgspec.Struct, frozen=True):
    """Who entered one, and its check values."""

    name: str
    check_value: str
    digest_value: str


class Composition(msgspec.Struct, kw_only=True):
    """A key that its custodians are entering, component by component. value: XOR of those entered so far."""

    purpose: Purpose
    count: int
    entered: list[Component]
    value: bytearray

    def __repr__(self) -> str:
        return f"<Composition {self.purpose} {len(self.entered)} of {self.count}>"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A key that left in an envelope. received_at: by the receipt that came back; 0 before."""

    id: str
    to: Identity
    purpose: Purpose
    check_value: str
    digest_value: str
    received_at: int = 0


class Office(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    custodians: list[Identity] = msgspec.field(default_factory=list)
    destructions: list[Destruction] = msgspec.field(default_factory=list)
    compositions: list[Composition] = msgspec.field(default_factory=list)
    sent: list[Sent] = msgspec.field(default_factory=list)
    opened: list[str] = msgspec.field(default_factory=list)  # ids of envelopes: each is opened once
    staff: list[Identity] = msgspec.field(default_factory=list)  # managers, operators, auditors

    def custodian(self, name: str) -> Identity:
        """Raises NotFound."""
        for one in self.custodians:
            if one.name == name:
                return one
        raise NotFound(f"there is no custodian {name}: `ehc keys custodians` shows who there is")

    def approval(self, signer: Signer, text: bytes, at: int) -> Approval:
        """Of an enrolled custodian. Raises Forbidden for anybody else."""
        if signer.identity not in self.custodians:
            raise Forbidden(f"{signer.identity.name} is no custodian of this keyring, or has other keys than enrolled")
        return Approval(signer.identity.name, at, signer.sign(text))

    def require_two(self, approvals: Iterable[Approval], text: bytes) -> None:
        """Raises Forbidden unless two custodians with different keys signed the text."""
        keys = {
            one.verifies
            for approval in approvals
            for one in self.custodians
            if one.name == approval.name and one.signed(approval.signature, text)
        }
        if len(keys) < CUSTODIANS_NEEDED:
            raise Forbidden(f"this takes two custodians: {len(keys)} approved it")

    def enrol(self, identity: Identity, witnesses: Iterable[Signer], at: int) -> None:
        """The first two come in freely, when the keyring is made; who comes later needs two who are there.

        Raises Conflict for a name or key that is there already, Forbidden.
        """
        self._refuse_known(identity)
        self.require_present(b"ehc enrol v1\n" + msgspec.json.encode(identity), witnesses, at)
        (self.custodians if identity.role is Role.USER else self.staff).append(identity)

    def require(self, duty: Duty, who: Signer | None) -> None:
        """Raises Forbidden unless this is one of those who are in charge of a duty; where nobody is, anybody may.

        who: an open credential, which signs here and now; None: nobody said who they are.
        """
        if not any(duty in duties(one.role) for one in self.staff):
            return
        if who is None:
            raise Forbidden(f"{duty}: this takes the credential of one who is in charge: `ehc --as FILE …`")
        text = b"ehc duty v1\n" + duty.encode()
        if who.identity not in self.staff or not who.identity.signed(who.sign(text), text):
            raise Forbidden(f"{who.identity.name} is not enrolled in this keyring, or has other keys than enrolled")
        if duty not in duties(who.identity.role):
            raise Forbidden(f"{duty}: not a duty of {who.identity.name}, who is {who.identity.role} (keys/duties.py)")

    def require_present(self, text: bytes, witnesses: Iterable[Signer], at: int) -> None:
        """Raises Forbidden unless two custodians sign this now; before two are enrolled nobody has to."""
        if len(self.custodians) >= CUSTODIANS_NEEDED:
            self.require_two([self.approval(one, text, at) for one in witnesses], text)

    def _refuse_known(self, identity: Identity) -> None:
        for one in (*self.custodians, *self.staff):
            if one.name == identity.name or one.verifies == identity.verifies:
                raise Conflict(f"{one.name} is enrolled already, under this name or this key")

    def begin(self, identities: Iterable[Identity]) -> None:
        """All the first custodians at once, in a ceremony that makes the keyring. Raises Conflict as enrol."""
        if self.custodians:
            raise Conflict("this keyring has custodians already")
        for one in identities:
            self._refuse_known(one)
            self.custodians.append(one)

    def wipe(self) -> None:
        for one in self.compositions:
            one.value[:] = bytes(len(one.value))
