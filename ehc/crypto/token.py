"""Payload parsing, the validity token of profile N and the card-bound one of profile A, which has the same syntax
(native/README.md, "Payloads" and "Codes of ours"): steps 1 to 5."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from ehc import _native
from ehc._native import KeyHandle
from ehc.errors import PayloadError
from ehc.model import BoundToken, Flag, Payload, Reason, Verdict, seconds

Fields = tuple[str, int | None, str | None, str | None, str | None]
BoundFields = tuple[int, int, int, int, int]

_REASONS: dict[int, Reason] = {  # ehc.h
    0: Reason.ACCEPTED,
    32: Reason.LENGTH,
    33: Reason.CHARACTER,
    34: Reason.FOREIGN,
    35: Reason.GRAMMAR,
    48: Reason.NO_TOKEN,
    49: Reason.FORGED,
    50: Reason.EXPIRED,
    51: Reason.EARLY,
    52: Reason.KEY_VERSION,
}

_AUTHENTIC = np.array([0, 50, 51], np.uint8)  # accepted, expired, early

_KINDS: dict[int, str] = {
    1: "nothing",
    2: "a URL (网址)",
    3: "a WeChat payment code (微信付款码)",
    4: "an Alipay payment code (支付宝付款码)",
    5: "a UnionPay payment code (银联付款码)",
    6: "an insurance code (医保电子凭证)",
    7: "a resident id number (身份证号)",
    8: "some other text",
}

_DETAILS: dict[Reason, str] = {
    Reason.LENGTH: "a payload has 1 to 256 bytes",
    Reason.CHARACTER: "a character that no payload has, at offset {offset}",
    Reason.FOREIGN: "this is {found}, not an electronic health card (电子健康卡)",
    Reason.GRAMMAR: "not CARDID[:FLAG[:TOKEN[:ORGANISATION]]] from offset {offset} on",
    Reason.NO_TOKEN: "a static or temporary code carries no token to check",
    Reason.FORGED: "the token was not made under this protection key",
    Reason.EXPIRED: "the token is too old",
    Reason.EARLY: "the token is further ahead than its validity allows",
    Reason.KEY_VERSION: "the token names another key version than this key's",
}


_LONGEST = 100 * 366 * 86400


@dataclass(frozen=True, slots=True)
class Window:
    """△ The time window of step 5; both ends included."""

    tolerance: int = 60  # seconds two clocks may differ
    validity: int | None = None  # seconds a code lives; None: no bound on how far ahead an expiry lies
    time: Literal["expiry", "issue"] = "expiry"  # what the token's time means; "issue" needs a validity

    def __post_init__(self) -> None:
        if self.time not in ("expiry", "issue"):
            raise ValueError(f"a token's time is its 'expiry' or its 'issue', not {self.time!r}")
        for name, value, least in (("tolerance", self.tolerance, 0), ("validity", self.validity, 1)):
            if value is not None and not least <= value <= _LONGEST:
                raise ValueError(f"{name} is {least} to {_LONGEST} seconds, not {value}")
        if self.time == "issue" and self.validity is None:
            raise ValueError("a token that carries its time of issue needs a validity, in seconds")


_DEFAULT = Window()


def _payload(fields: Fields) -> Payload:
    card_id, flag, token, organisation, prefix = fields
    return Payload(card_id, None if flag is None else Flag(flag), token, organisation, prefix)


def _detail(reason: Reason, kind: int, offset: int) -> str:
    return _DETAILS[reason].format(offset=offset, found=_KINDS.get(kind, ""))


def parse_payload(payload: str | bytes) -> Payload:
    """Steps 1 and 2: take a QR text apart. Either case of hex, trailing CR, LF, Tab of a scanner allowed.

    Raises PayloadError that says what was found (an insurance code, a payment code, a URL …) and at which byte offset.
    """
    status, kind, offset, fields = _native.parse_payload(payload)
    if fields is None:
        reason = _REASONS[status]
        raise PayloadError(_detail(reason, kind, offset), offset, _KINDS[kind])
    return _payload(fields)


class Profiles(enum.IntFlag):
    """Which tokens of this syntax a policy accepts; a code is tried as each of them, the national one first."""

    NATIONAL = 1  # N: a time under the one key of all
    BOUND = 2  # A: bound to the card


class _Found(Verdict):
    """A verdict as the core gives it: reason, expiry and the text, in which the rest is looked up when asked for."""

    __slots__ = ("_fields_of_bound", "_text")
    _text: str | bytes
    _fields_of_bound: BoundFields | None

    @property
    def payload(self) -> Payload | None:
        try:
            return self._payload
        except AttributeError:  # not looked up yet
            fields = _native.parse_payload(self._text)[3]
            object.__setattr__(self, "_payload", None if fields is None else _payload(fields))
            return self._payload

    @property
    def detail(self) -> str:
        if self.reason is Reason.ACCEPTED:
            return ""
        _, kind, offset, _ = _native.parse_payload(self._text)
        return _detail(self.reason, kind, offset)

    @property
    def offset(self) -> int | None:
        _, _, offset, fields = _native.parse_payload(self._text)
        return offset if fields is None else None

    @property
    def bound(self) -> BoundToken | None:
        return None if self._fields_of_bound is None else BoundToken(*self._fields_of_bound)


_CHECKER = _native.TokenChecker(_Found, _REASONS, seconds, _DEFAULT)
check_token = _CHECKER.check  # itself, since a function around it would take a fifth of its time


class VerdictBatch(Sequence[Verdict]):
    """Verdicts of a batch; a row becomes a Verdict when it is looked at. `.accepted` bool[n], `.expiry` int64[n]."""

    def __init__(self, rows: _native.CheckedBatch) -> None:
        self._rows = rows

    @property
    def accepted(self) -> NDArray[np.bool_]:
        return np.equal(self._rows.status, 0)

    @property
    def authentic(self) -> NDArray[np.bool_]:
        """bool[n]: made under the key, whatever the time window says."""
        return np.isin(self._rows.status, _AUTHENTIC)

    @property
    def expiry(self) -> NDArray[np.int64]:
        """Seconds since 1970; 0 where the token is not authentic."""
        return self._rows.expiry

    def __len__(self) -> int:
        return len(self._rows.status)

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> list[Verdict]: ...
    def __getitem__(self, index: int | slice) -> Verdict | list[Verdict]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self._rows.row(range(len(self))[index])

    def __iter__(self) -> Iterator[Verdict]:
        return (self[i] for i in range(len(self)))


def check_batch(
    payloads: Iterable[str | bytes],
    protection_key: bytes | KeyHandle,
    now: datetime | int,
    *,
    window: Window = _DEFAULT,
    profiles: Profiles = Profiles.NATIONAL,
) -> VerdictBatch:
    """check_token for many, the cipher in lanes. One refused payload never touches another."""
    return VerdictBatch(_native.CheckedBatch(_CHECKER, payloads, protection_key, now, window, profiles))


def make_token(expiry: datetime | int, protection_key: bytes | KeyHandle) -> str:
    """The validity token (有效性信息) of a time: 32 upper-case hex digits. expiry: as `now` of check_token.

    Raises ValueError when the year in China Standard Time is not 0 to 9999.
    """
    token = _native.make_token(protection_key, expiry if type(expiry) is int else seconds(expiry))
    if token is None:
        raise ValueError(f"the token's time must lie in the years 0 to 9999: {expiry}")
    return token


def make_tokens(expiries: NDArray[np.int64], protection_key: bytes | KeyHandle) -> NDArray[np.bytes_]:
    """make_token for many: int64[n] seconds since 1970 to S32[n] of hex digits.

    Raises ValueError that names the first row whose year in China Standard Time is not 0 to 9999.
    """
    times = np.ascontiguousarray(expiries, np.int64)
    texts, status = _native.make_tokens(protection_key, times)
    if status.any():
        row = int(status.argmax())
        raise ValueError(f"row {row}: the token's time must lie in the years 0 to 9999: {times[row]}")
    return texts


def make_bound_token(
    card_id: str,
    expiry: datetime | int,
    protection_key: bytes | KeyHandle,
    *,
    sequence: int,
    channel: int = 0,
    scene: int = 0,
    key_version: int | None = None,
) -> str:
    """The card-bound token (profile A): 32 upper-case hex digits that hold for this card id alone.

    card_id: 64 hex digits. expiry: as `now` of check_token. sequence: 0 to 2^24 - 1, counted by whoever issues.
    channel, scene: 0 to 15. key_version: 0 to 255, that of the key handle when left out (1 of 16 raw bytes).
    Raises ValueError that names the field.
    """
    if len(card_id) != 64:
        raise ValueError(f"a token is bound to a card id of 64 hex digits, not of {len(card_id)}")
    version = (
        (protection_key.version if isinstance(protection_key, KeyHandle) else 1) if key_version is None else key_version
    )
    for name, value, most in (
        ("sequence", sequence, 0xFFFFFF),
        ("channel", channel, 15),
        ("scene", scene, 15),
        ("key_version", version, 255),
    ):
        if not 0 <= value <= most:
            raise ValueError(f"{name} is 0 to {most}, not {value}")
    token = _native.make_bound(
        protection_key, bytes.fromhex(card_id), (seconds(expiry), version, channel, scene, sequence)
    )
    if token is None:
        raise ValueError(f"the token's time must lie in the years 0 to 9999: {expiry}")
    return token
