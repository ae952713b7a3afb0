"""The text of a QR code -> accepted or not, and a time -> validity token."""

from __future__ import annotations

import pytest
from contender import Contender, by_name, peers
from peers import gmssl_python, openssl_usual, openssl_well
from people import PROTECTION_KEY, VALIDITY_VECTOR, codes
from tier import tiers

from ehc.crypto import KeyHandle, check_batch, check_token, make_token, make_tokens

KEY = KeyHandle(PROTECTION_KEY)
NOW, VECTOR = VALIDITY_VECTOR
PEERS = {openssl_well: 10_000, openssl_usual: 5_000, gmssl_python: 1_000}

CHECKING = by_name(
    Contender(
        "ehc, check_batch",
        20_000,
        run=lambda payloads: check_batch(payloads, KEY, NOW),
        answer=lambda verdicts: verdicts.accepted.tolist(),
    ),
    Contender(
        "ehc, check_token",
        10_000,
        run=lambda payloads: [check_token(payload, KEY, NOW) for payload in payloads],
        answer=lambda verdicts: [verdict.accepted for verdict in verdicts],
    ),
    tiers("check", share=20_000, portable_share=20_000),
    peers(lambda peer, payloads: peer.check(payloads, PROTECTION_KEY, NOW), PEERS, "check", optional=5_000),
)
MAKING = by_name(
    Contender(
        "ehc, make_tokens",
        20_000,
        run=lambda times: make_tokens(times, KEY),
        answer=lambda found: found.astype(str).tolist(),
    ),
    Contender("ehc, make_token", 20_000, run=lambda times: [make_token(time, KEY) for time in times]),
    peers(lambda peer, times: peer.tokens(times, PROTECTION_KEY), PEERS, "tokens", optional=5_000),
)


@pytest.fixture(scope="session")
def times() -> list[int]:
    return [NOW + i for i in range(20_000)]


@pytest.fixture(scope="session")
def tokens(times) -> list[str]:
    made = openssl_well.tokens(times, PROTECTION_KEY)
    assert made[0] == VECTOR
    return made


@pytest.fixture(scope="session")
def scans(tokens) -> list[tuple[str, bool]]:
    return codes(20_000, tokens, expired=openssl_well.tokens([NOW - 3600], PROTECTION_KEY)[0])


@pytest.mark.parametrize("name", CHECKING)
def test_checks(measure, name, scans):
    answer = measure("check", "codes", CHECKING[name], [text for text, _ in scans])
    assert answer == [accepted for _, accepted in scans][: len(answer)]
    assert len(answer) == CHECKING[name].share


@pytest.mark.parametrize("name", MAKING)
def test_tokens(measure, name, times, tokens):
    answer = measure("make token", "tokens", MAKING[name], times)
    assert answer == tokens[: len(answer)]
    assert len(answer) == MAKING[name].share
