"""Compact codes (E2), in a batch and a call each; and what one token takes through Python beyond an empty call."""

from __future__ import annotations

import pytest
from contender import Contender, by_name
from jobs import COMPACT_NOW, COMPACT_VECTOR
from peers.stronger_codes import Compact, compact_code
from people import PROTECTION_KEY
from results import EMPTY

from ehc.crypto import (
    CompactKey,
    KeyHandle,
    check_compact,
    check_compact_batch,
    check_token,
    make_compact_code,
    make_token,
)

KEY, COMPACT = KeyHandle(PROTECTION_KEY), CompactKey(PROTECTION_KEY)
ISSUER, ACCOUNT, SERIAL = 440100, 1234567890123456789, 0xA7


def made(i: int) -> str:
    """The vector of the specification, and others after it."""
    return make_compact_code(
        COMPACT, account=ACCOUNT + i, issuer=ISSUER, node=1, ttl=2, serial=SERIAL + i, issued_at=COMPACT_NOW
    )


def nothing(_text: str, _key: object, _now: int) -> None:
    """A call that does nothing."""


CHECKING = by_name(
    Contender(
        "ehc, check_compact_batch",
        20_000,
        run=lambda codes: check_compact_batch(codes, COMPACT, COMPACT_NOW),
        answer=lambda found: found.accepted.tolist(),
    ),
    Contender(
        "ehc, check_compact",
        10_000,
        run=lambda codes: [check_compact(code, COMPACT, COMPACT_NOW) for code in codes],
        answer=lambda verdicts: [verdict.accepted for verdict in verdicts],
    ),
)
CALLS = by_name(
    Contender(EMPTY, 10_000, run=lambda codes: [nothing(code, KEY, COMPACT_NOW) for code, _ in codes]),
    Contender("check N", 10_000, run=lambda codes: [check_token(code, KEY, COMPACT_NOW) for code, _ in codes]),
    Contender("check E2", 10_000, run=lambda codes: [check_compact(code, COMPACT, COMPACT_NOW) for _, code in codes]),
    Contender("make N", 10_000, run=lambda codes: [make_token(COMPACT_NOW, KEY) for _ in codes]),
    Contender("make E2", 10_000, run=lambda codes: [made(i) for i, _ in enumerate(codes)]),
)


@pytest.fixture(scope="session")
def codes() -> list[str]:
    texts = [made(i) for i in range(20_000)]
    assert texts[0] == COMPACT_VECTOR
    for i in (1, 19_999):
        fields = Compact(ISSUER, 1, 1, 2, 0, COMPACT_NOW, SERIAL + i, ACCOUNT + i)
        assert texts[i] == compact_code(fields, PROTECTION_KEY)
    forged = range(7, len(texts), 50)
    for i in forged:
        texts[i] = texts[i][:59] + texts[i - 1][59:]  # another code's mac
    return texts


@pytest.mark.parametrize("name", CHECKING)
def test_checks(measure, name, codes):
    answer = measure("check E2", "codes", CHECKING[name], codes)
    assert answer == [i % 50 != 7 for i in range(CHECKING[name].share)]


@pytest.mark.parametrize("name", CALLS)
def test_single_calls(measure, name, codes):
    national = f"{'0' * 64}:0:{make_token(COMPACT_NOW, KEY)}"
    answer = measure("one call", "calls", CALLS[name], [(national, code) for code in codes])
    if name == "check N":
        assert all(answer)
    if name == "make N":
        assert set(answer) == {national[-32:]}
    if name == "make E2":
        assert answer[:7] == codes[:7]
    assert len(answer) == CALLS[name].share
