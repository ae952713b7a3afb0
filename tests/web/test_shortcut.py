"""What is verified at once (web/shortcut.py) would be the long way too: the same bytes, and the same claim."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import servers
from both_ways import APP, DESK, HOSPITAL, OFTEN, SINGLE_USE, STATIC, Both, body_of, number_of, opened

from ehc.codes.verification import Plan
from ehc.errors import Unavailable
from ehc.model import Claimant

PLACES = [{}, {"institution": "H1"}, DESK, {"institution": "H2", "terminal": "d.2"}, {"terminal": "alone"}]
DISABLED = [[], [], [("H1", "")], [("H2", "d.2")]]


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.redis(tmp_path_factory.mktemp("redis")) as redis:
        yield redis.url


@pytest.fixture(params=["N", "A", "E2", "N in Redis", "A in Redis", "E2 in Redis"])
def both(request: pytest.FixtureRequest, make_service: Callable[..., Any], redis_url: str) -> Iterator[Both]:
    profile, _, in_redis = request.param.partition(" in ")
    if in_redis:
        redis.Redis.from_url(redis_url).flushdb()
    with opened(make_service, issue_profile=profile, redis=redis_url if in_redis else "") as service:
        yield service


def test_a_code_is_accepted_at_once_where_another_was_before(both: Both) -> None:
    first, second = both.codes(2)
    assert both.at_once(body_of(first, OFTEN, **DESK)) is None  # nothing is known of the place
    for payload in (first, second):
        assert json.loads(both.long(body_of(payload, OFTEN, **DESK)))["accepted"]
    both.long(body_of(first, **DESK))
    answer = both.at_once(body_of(second, **DESK))
    assert answer is not None
    assert json.loads(answer)["visit"]
    assert answer == both.at_once(body_of(second, **DESK)) == both.long(body_of(second, **DESK))  # the same place again
    assert json.loads(both.long(body_of(second, institution="H2")))["reason"] == "replayed"
    assert both.at_once(body_of(second, institution="H2")) is None


def test_who_claimed_a_code_at_once_and_when_is_kept(both: Both) -> None:
    first, second = both.codes(2)
    for payload in (first, second):
        both.long(body_of(payload, OFTEN, **DESK))
    both.long(body_of(first, **DESK))
    both.service.clock.now += 7
    assert both.at_once(body_of(second, **DESK))
    plan = both.service.services.verifier.plan(second, SINGLE_USE, both.service.clock.now)
    assert isinstance(plan, Plan)
    assert both.found(both.service.services.hot.claimant(plan.question)) == Claimant(
        "H1 desk-1", both.service.clock.now
    )


def test_a_terminal_is_seen_at_once_with_its_clock(both: Both) -> None:
    (payload,) = both.codes(1)
    now, body = both.service.clock.now, body_of(payload, OFTEN, **DESK)
    both.long(body)
    both.service.services.sightings.take()
    assert both.at_once(body, client_time=str(now + 40))
    assert both.at_once(body)
    (seen,) = both.service.services.sightings.take()
    assert (seen.institution, seen.terminal, seen.at, seen.clock_drift) == ("H1", "desk-1", now, 40)


def test_a_card_that_changed_and_a_key_that_is_gone_are_noticed(both: Both) -> None:
    (payload,) = both.codes(1)
    body = body_of(payload, OFTEN)
    card_id = json.loads(both.long(body))["card_id"]
    assert both.at_once(body)
    both.service.post(f"/v1/cards/{card_id}/suspend", {"reason": "lost"})
    assert both.at_once(body) is None
    assert json.loads(both.long(body))["reason"] == "card_state"
    assert both.at_once(body) is None
    both.service.services.keys.refuse("its self-test failed")
    with pytest.raises(Unavailable, match="self-test"):
        both.at_once(body)


@pytest.mark.parametrize("name", ["payload", "\\u0070ayload"])
def test_a_body_with_two_payloads_is_not_answered_by_its_first(both: Both, name: str) -> None:
    first, second = both.codes(2)
    for payload in (first, second):
        both.long(body_of(payload, OFTEN))
    for payload in (first, second):  # what is decoded is the last: twice the same code, and then another before it
        body = body_of(payload, OFTEN).replace(b"}", f', "{name}": "{first}"}}'.encode())
        assert both.at_once(body) is None
        assert json.loads(both.long(body))["accepted"]


ODD = [
    lambda body: body.replace(b'"payload"', b'"\\u0070ayload"'),
    lambda body: body.replace(b'"payload": "', b'"payload": "\\u0045'),
    lambda body: body.replace(b"}", b', "payload": "x"}'),
    lambda body: body.replace(b"}", b', "\\u0070ayload": "x"}'),
    lambda body: b'{"payload": "x", ' + body[1:],
    lambda body: body.replace(b"}", b', "more": 1}'),
    lambda body: body.replace(b'", "', b'\\r\\n", "', 1),
    lambda body: body.replace(b'", "', b'\xff", "', 1),
    lambda body: body.replace(b'", "', b'\n", "', 1),
    lambda body: body.replace(b": ", b":"),
    lambda body: body.replace(b": ", b" :  "),
    lambda body: body[:-1],
    lambda body: body + b" ",
    lambda body: b"[" + body + b"]",
    lambda body: b'"payload": "' + body,
    bytes.lower,
]
"""What else people send."""


@pytest.mark.parametrize("seed", range(2))
def test_whatever_comes_both_ways_answer_alike(both: Both, seed: int) -> None:
    """Asked at once first, and then the long way at the same place: it has the code already, and is told the same."""
    chance, service, answered = random.Random(seed), both.service, Counter[str]()
    payloads = both.codes(6)
    static = service.code(service.register(id_number=number_of(0))["card_id"], "static")["payload"]
    for _ in range(800):
        if chance.random() < 0.05:
            service.clock.now += chance.choice([1, 30, 200])
            payloads = [*payloads[3:], *both.codes(3)] if chance.random() < 0.7 else payloads
        if chance.random() < 0.03:
            service.services.disabled.renew(chance.choice(DISABLED))
        if chance.random() < 0.01:
            service.post("/v1/codes/revoke", {"payload": chance.choice(payloads)})
        payload = chance.choice([*payloads, *payloads, *payloads, static, payloads[0][:-1] + "0"])
        scene = chance.choice([SINGLE_USE, SINGLE_USE, OFTEN, STATIC, "12"])
        body, caller = body_of(payload, scene, **chance.choice(PLACES)), chance.choice([APP, APP, HOSPITAL])
        if chance.random() < 0.1:
            body = chance.choice(ODD)(body)
        known = chance.random() < 0.5 and both.long(body, caller)
        at_once = both.at_once(body, caller)
        long = both.long(body, caller)
        if at_once is None:
            answered["the long way"] += 1
            continue
        told = json.loads(long)
        if told["reason"] == "replayed":  # nobody in particular had it, and so it does not have it again
            assert scene == SINGLE_USE
            assert json.loads(at_once)["visit"] is None
            assert not known
        else:
            assert at_once == long
        answered["at once"] += 1
    assert min(answered["at once"], answered["the long way"]) > 80, answered
