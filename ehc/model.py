"""The field's nouns. Plain values: no I/O, no clock, nothing but the standard library."""

from __future__ import annotations

import enum
from dataclasses import FrozenInstanceError, dataclass
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Never

from ehc.errors import Refused

CST = timezone(timedelta(hours=8), "CST")
"""China Standard Time, the clock of profile N tokens; no daylight saving."""


class IdType(enum.StrEnum):
    """证件类型; the value domain of the field."""

    RESIDENT_ID = "01"  # 居民身份证
    HOUSEHOLD_REGISTER = "02"  # 户口簿
    PASSPORT = "03"  # 护照
    OFFICER = "04"  # 军官证
    DRIVING_LICENCE = "05"  # 驾驶证
    HONG_KONG_MACAO = "06"  # 港澳通行证
    TAIWAN = "07"  # 台湾通行证
    BIRTH_CERTIFICATE = "08"  # 出生医学证明
    OTHER = "99"  # 其他


class AccountState(enum.IntEnum):
    """虚拟账户状态; the value domain of the field, and one of ours (△)."""

    CANCELLED = 0  # 注销
    NORMAL = 1  # 正常
    PENDING = 2  # 待审核
    REJECTED = 3  # 未通过
    CERTIFIED = 4  # 已认证(未申请码)
    UNREGISTERED = 5  # 未注册
    SUSPENDED = 6  # 停用 △: the field's domain has none; interfaces of the field show it as 2 待审核


class CardKind(enum.IntEnum):
    """卡属性; the value domain of the field."""

    TEMPORARY = 1  # 临时: has a deadline, is merged later
    FORMAL = 2  # 正式


class PersonKind(enum.IntEnum):
    """人员类型; the value domain of the field."""

    ORDINARY = 1  # 普通
    CHILD = 2  # 无证儿童: under a guardian, until there is a document of its own


class Origin(enum.IntEnum):
    """How an account came to be (5.2: an electronic card is told apart from the physical one it was made for)."""

    REGISTRATION = 0  # 注册: a person, a caller or an operator registered it
    PHYSICAL_CARD = 1  # 实体卡批量生成: made for the holder of a physical card (ehc/registry/)


class Flag(enum.IntEnum):
    """The second field of a payload."""

    DYNAMIC = 0  # 动态码: a validity token follows
    STATIC = 1  # 静态码
    TEMPORARY = 9  # 临时卡


class Profile(enum.StrEnum):
    """Kinds of codes (native/README.md, "Payloads" and "Codes of ours")."""

    STATIC = "static"  # without a token: static, temporary and bare ones
    N = "N"  # national: a time under the one key of all
    A = "A"  # card-bound
    E2 = "E2"  # compact, online
    E3 = "E3"  # signed, offline


class Reason(enum.StrEnum):
    """Why a code is (not) accepted; STEPS has the number of the step that says so."""

    ACCEPTED = "accepted"
    LENGTH = "length"  # empty or over 256 bytes
    CHARACTER = "character"  # a byte no payload has
    FOREIGN = "foreign"  # a known code of somebody else: insurance, payment, URL …
    GRAMMAR = "grammar"
    KEY_VERSION = "key_version"  # made under a key version that may not be used
    NO_TOKEN = "no_token"  # noqa: S105  a static or temporary code where a token was to be checked
    FORGED = "forged"  # not made under the protection key
    NOT_ISSUED = "not_issued"  # authentic, but not one of the codes this system issued
    EXPIRED = "expired"
    EARLY = "early"  # further ahead than the validity allows
    UNKNOWN_CARD = "unknown_card"
    CARD_STATE = "card_state"  # cancelled, suspended …
    REVOKED = "revoked"  # the code
    SCENE = "scene"  # this kind of code is not accepted in this scene
    PLACE = "place"  # the institution or terminal that checks it is disabled
    REPLAYED = "replayed"


_ACCEPTED = Reason.ACCEPTED  # a member's look-up in its class is no cheap one in Python 3.11

STEPS: dict[Reason, int] = {
    Reason.ACCEPTED: 0,
    Reason.LENGTH: 1,
    Reason.CHARACTER: 1,
    Reason.FOREIGN: 2,
    Reason.GRAMMAR: 2,
    Reason.KEY_VERSION: 3,
    Reason.NO_TOKEN: 4,
    Reason.FORGED: 4,
    Reason.NOT_ISSUED: 4,
    Reason.EXPIRED: 5,
    Reason.EARLY: 5,
    Reason.UNKNOWN_CARD: 6,
    Reason.CARD_STATE: 6,
    Reason.REVOKED: 6,
    Reason.SCENE: 7,
    Reason.PLACE: 7,
    Reason.REPLAYED: 8,
}
"""The eight steps of verification: 1 length and alphabet, 2 grammar and profile, 3 key version, 4 authenticity, 5 time
window, 6 revocation and account state, 7 scene policy, 8 replay claim (native/README.md, "Verification")."""


@dataclass(frozen=True, slots=True)
class Payload:
    """The text of a QR code, taken apart. card_id and token are upper-case hex whatever case was read."""

    card_id: str  # 32, 48 or 64 hex digits
    flag: Flag | None  # None: a bare card id
    token: str | None = None  # 32 hex digits, with Flag.DYNAMIC only
    organisation: str | None = None
    prefix: str | None = None  # short numeric issuer prefix

    @property
    def conformant(self) -> bool:
        """False for the bare form, which is taken as static."""
        return self.flag is not None

    @property
    def dynamic(self) -> bool:
        return self.flag is Flag.DYNAMIC


@dataclass(frozen=True, slots=True)
class BoundToken:
    """What a card-bound token (profile A) says besides its card."""

    expiry: int  # seconds since 1970
    key_version: int  # 0..255
    channel: int  # 0..15
    scene: int  # 0..15
    sequence: int  # 0..2^24 - 1


class Verdict:
    """What checking a payload found. True in a condition exactly when accepted; `require()` raises otherwise.

    A value that does not change. Not a dataclass: one is made for every token, and a subclass may look its fields up
    only when somebody asks.
    """

    __match_args__ = ("reason", "payload", "expiry", "detail", "offset", "bound")
    __slots__ = ("_bound", "_detail", "_offset", "_payload", "expiry", "reason")

    reason: Reason
    expiry: int | None  # seconds since 1970 (UTC); None unless the token is authentic
    _payload: Payload | None
    _detail: str
    _offset: int | None
    _bound: BoundToken | None

    def __init__(  # noqa: PLR0917  the fields in their order
        self,
        reason: Reason,
        payload: Payload | None = None,
        expiry: int | None = None,
        detail: str = "",
        offset: int | None = None,
        bound: BoundToken | None = None,
    ) -> None:
        names = ("reason", "_payload", "expiry", "_detail", "_offset", "_bound")
        for name, value in zip(names, (reason, payload, expiry, detail, offset, bound), strict=True):
            object.__setattr__(self, name, value)

    @property
    def payload(self) -> Payload | None:
        """None when it could not be parsed."""
        return self._payload

    @property
    def detail(self) -> str:
        """For the caller's own log and the clerk; never for an outsider."""
        return self._detail

    @property
    def offset(self) -> int | None:
        """Where a refused text stops being a payload."""
        return self._offset

    @property
    def bound(self) -> BoundToken | None:
        """What a card-bound token says; None of a national one, and unless authentic."""
        return self._bound

    @property
    def accepted(self) -> bool:
        return self.reason is _ACCEPTED

    @property
    def step(self) -> int:
        """Number of the step that refused; 0 when accepted."""
        return STEPS[self.reason]

    @property
    def expires_at(self) -> datetime | None:
        return None if self.expiry is None else datetime.fromtimestamp(self.expiry, CST)

    def __bool__(self) -> bool:
        return self.accepted

    def require(self) -> Verdict:
        """Itself when accepted, else raises Refused."""
        if not self.accepted:
            raise Refused(self)
        return self

    def judged(self, reason: Reason, detail: str = "") -> Verdict:
        """What a later step says of the same code."""
        if reason is self.reason:
            return self
        return Verdict(reason, self.payload, self.expiry, detail, self.offset, self.bound)

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        return self._fields() == other._fields() if isinstance(other, Verdict) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        pairs = zip(self.__match_args__, self._fields(), strict=True)
        return f"Verdict({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def __setattr__(self, name: str, value: object) -> Never:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> Never:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __reduce__(self) -> tuple[type[Verdict], tuple[object, ...]]:
        return Verdict, (self.reason, self.payload, self.expiry, self.detail, self.offset, self.bound)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person's document, already normalised (cards.identity makes these)."""

    id_type: str  # two digits, IdType
    id_number: str  # ASCII, upper case; at most 30 characters
    name: str  # NFC

    def __repr__(self) -> str:
        return f"<Identity {self.id_type} {self.masked_number()} {self.masked_name()}>"

    def masked_name(self) -> str:
        """All but the last character hidden: ***卡."""
        return "*" * (len(self.name) - 1) + self.name[-1:]

    def masked_number(self) -> str:
        """All but the first and the last character hidden."""
        return self.id_number[:1] + "*" * max(0, len(self.id_number) - 2) + self.id_number[1:][-1:]


class VersionedId(NamedTuple):
    """A card id and the version of the security key it was derived under: the id itself does not say."""

    card_id: str
    key_version: int


@dataclass(frozen=True, slots=True)
class Card:
    """An electronic health card account (虚拟账户) as the store holds it."""

    account: int  # stable internal number; never shown in a code
    identity: Identity
    mindex: bytes  # 主索引ID, 32 bytes; never leaves the system
    card_id: str  # 电子健康卡ID: 64 upper-case hex digits (32 with minimal padding; up to 128 for legacy ids)
    key_version: int  # version of the security key it was derived under
    state: AccountState
    registered_at: int  # seconds since 1970, as all times
    kind: CardKind = CardKind.FORMAL
    person: PersonKind = PersonKind.ORDINARY
    deadline: int | None = None  # a temporary card's last second
    guardian: int | None = None  # account of the guardian, of a child
    birth_order: int | None = None  # 1 to 9, of a child: twins differ by it
    merged_into: int | None = None  # account that took this one over
    codes_from: int = 0  # codes issued before this second are revoked
    other: VersionedId | None = None  # finds the card too, while a province is re-keyed (cards/rekeying.py)
    origin: Origin = Origin.REGISTRATION

    def status(self) -> CardStatus:
        return CardStatus(
            self.account,
            self.card_id,
            self.state,
            self.identity.masked_name(),
            self.kind,
            self.deadline,
            self.codes_from,
            self.other.card_id if self.other else "",
        )


_NORMAL = AccountState.NORMAL


class CardStatus(NamedTuple):
    """What a verification needs of a card, and what it may show of it."""

    account: int
    card_id: str
    state: AccountState
    name: str  # masked
    kind: CardKind = CardKind.FORMAL
    deadline: int | None = None
    codes_from: int = 0
    other_id: str = ""  # that is good beside card_id

    def usable(self, now: int) -> bool:
        return self.state is _NORMAL and (self.deadline is None or now <= self.deadline)


class Claim(enum.IntEnum):
    """What claiming a code came to; the numbers are those of ehc.h."""

    NONE = 0  # nothing was claimed
    WON = 1  # the first, or one of as many as may
    AGAIN = 2  # the holder who has it already
    LOST = 3  # others have it
    REVOKED = 4


class Question(NamedTuple):
    """What a verification asks of the hot state, about one code."""

    card: str | int  # card id, or account where the code names that
    code: bytes = b""  # what the code is known by; empty: one without a token
    issued_at: int = 0  # seconds, as all times here
    until: int = 0  # the code's last second, clocks being equal
    must_be_issued: bool = False  # only codes that this system remembers
    uses: int = 0  # so many may claim it; 0: it is not claimed
    holder: int = 0  # 48 bits: who claims; 0: nobody in particular
    place: str = ""  # who that is: institution and terminal, a space between


class Claimant(NamedTuple):
    """Who claimed a code first."""

    place: str  # as in Question; empty where nobody said, or nobody remembers
    at: int | None  # seconds; None where nobody remembers


class Answer(NamedTuple):
    """In the order of the steps: where one is not fulfilled, nothing after it was asked, and nothing claimed."""

    issued: bool  # 4; True where it need not be
    card: CardStatus | None  # 6
    claim: Claim = Claim.NONE  # 6 REVOKED, 8
    degraded: bool = False  # who knows what was issued, revoked and claimed could not be asked


def seconds(when: datetime | int) -> int:
    """Seconds since 1970-01-01T00:00:00Z of a time; a datetime without zone is taken as China Standard Time."""
    if isinstance(when, datetime):
        return int((when if when.tzinfo else when.replace(tzinfo=CST)).timestamp())
    return when
