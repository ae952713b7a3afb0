"""Payload parsing and the validity token of profile N (native/README.md, "Payloads"): steps 1, 2, 4 and 5."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from ehc import _native
from ehc._native import KeyHandle
from ehc.errors import PayloadError
from ehc.model import Flag, Payload, Reason, Verdict, seconds

Fields = tuple[str, int | None, str | None, str | None, str | None]
Checked = tuple[int, int, int, Fields | None, int]

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
}

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


def _text(payload: str | bytes) -> bytes:
    return payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogatepass")


def _payload(fields: Fields) -> Payload:
    card_id, flag, token, organisation, prefix = fields
    return Payload(card_id, None if flag is None else Flag(flag), token, organisation, prefix)


def _detail(reason: Reason, kind: int, offset: int) -> str:
    return _DETAILS[reason].format(offset=offset, found=_KINDS.get(kind, ""))


def parse_payload(payload: str | bytes) -> Payload:
    """Steps 1 and 2: take a QR text apart. Either case of hex, trailing CR, LF, Tab of a scanner allowed.

    Raises PayloadError that says what was found (an insurance code, a payment code, a URL …) and at which byte offset.
    """
    status, kind, offset, fields = _native.parse_payload(_text(payload))
    if fields is None:
        reason = _REASONS[status]
        raise PayloadError(_detail(reason, kind, offset), offset, _KINDS[kind])
    return _payload(fields)


def _verdict(checked: Checked) -> Verdict:
    status, kind, offset, fields, expiry = checked
    reason = _REASONS[status]
    if reason is Reason.ACCEPTED:
        return Verdict(reason, _payload(fields), expiry) if fields else Verdict(reason)
    parsed = None if fields is None else _payload(fields)
    authentic = expiry if reason in (Reason.EXPIRED, Reason.EARLY) else None
    return Verdict(reason, parsed, authentic, _detail(reason, kind, offset), None if parsed else offset)


def check_token(
    payload: str | bytes, protection_key: bytes | KeyHandle, now: datetime | int, *, window: Window = _DEFAULT
) -> Verdict:
    """Steps 1, 2, 4 and 5 in one native call: parse, decrypt, padding and BCD, time window.

    protection_key (保护密钥): 16 bytes or a handle. now: aware datetime, naive one in China Standard Time, or seconds
    since 1970. A refusal is a value (`verdict.reason`, `.step`); `verdict.require()` raises it. A static code has
    reason NO_TOKEN: whether it may be used is the scene's policy (ehc.codes), not the token's.
    """
    return _verdict(
        _native.check_token(
            protection_key, _text(payload), seconds(now), window.tolerance, window.validity or 0, window.time == "issue"
        )
    )


class VerdictBatch(Sequence[Verdict]):
    """Verdicts of a batch; a row becomes a Verdict when it is looked at. `.accepted` bool[n], `.expiry` int64[n]."""

    def __init__(self, rows: _native.CheckedBatch) -> None:
        self._rows = rows

    @property
    def accepted(self) -> NDArray[np.bool_]:
        return np.equal(self._rows.status, 0)

    @property
    def expiry(self) -> NDArray[np.int64]:
        """Seconds since 1970; 0 where the token is not authentic."""
        return self._rows.expiries()

    def __len__(self) -> int:
        return len(self._rows.status)

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> list[Verdict]: ...
    def __getitem__(self, index: int | slice) -> Verdict | list[Verdict]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return _verdict(self._rows.row(range(len(self))[index]))

    def __iter__(self) -> Iterator[Verdict]:
        return (self[i] for i in range(len(self)))


def check_batch(
    payloads: Iterable[str | bytes],
    protection_key: bytes | KeyHandle,
    now: datetime | int,
    *,
    window: Window = _DEFAULT,
) -> VerdictBatch:
    """check_token for many, the cipher in lanes. One refused payload never touches another."""
    return VerdictBatch(
        _native.CheckedBatch(
            protection_key, payloads, seconds(now), window.tolerance, window.validity or 0, window.time == "issue"
        )
    )


def make_token(expiry: datetime | int, protection_key: bytes | KeyHandle) -> str:
    """The validity token (有效性信息) of a time: 32 upper-case hex digits. expiry: as `now` of check_token.

    Raises ValueError when the year in China Standard Time is not 0 to 9999.
    """
    token = _native.make_token(protection_key, seconds(expiry))
    if token is None:
        raise ValueError(f"the token's time must lie in the years 0 to 9999: {expiry}")
    return token
