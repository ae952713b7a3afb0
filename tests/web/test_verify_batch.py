"""What terminals checked while they were offline."""

import random
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from ehc.codes.batch import Offline, OfflineVerdict, OfflineVerifier, late_policy
from ehc.codes.policy import scene_policy
from ehc.codes.verification import Plan
from ehc.model import Claimant, Reason
from ehc.web.wire.verify import OfflineCheck

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
CONSULTATION, PAYMENT, STATIC = "010102", "010105", "010101"
SCENES = [PAYMENT, PAYMENT, CONSULTATION, STATIC, "payment"]
HOSPITAL = {"code": "H-1", "name": "测试医院", "region": "510104", "kind": "A100"}
Make = Callable[..., Any]


def check(payload: str, at: int, scene: str = PAYMENT, *, accepted: bool = True) -> dict[str, Any]:
    return {"payload": payload, "at": at, "scene": scene, "accepted": accepted}


def upload(service: Any, *checks: Any, terminal: str = "t1", **more: Any) -> dict[str, Any]:
    body = {"institution": "H-1", "terminal": terminal, "checks": list(checks), **more}
    answer = service.post("/v1/verify/batch", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def words(found: dict[str, Any]) -> list[str]:
    return [row.get("reason") or row["ruling"] for row in found["rows"]]


@pytest.fixture
def at_work(service: Any) -> Any:
    service.register()
    service.post("/v1/institutions", HOSPITAL)
    service.post("/v1/institutions/H-1/terminals", {"code": "t1", "channel": "01"})
    return service


@pytest.mark.parametrize("profile", ["N", "A", "E2"])
def test_what_was_good_then_is_accepted_hours_later(make_service: Make, profile: str) -> None:
    service = make_service(issue_profile=profile)
    service.register()
    code, then = service.code(CARD)["payload"], service.clock.now
    service.clock.now += 3 * 3600
    found = upload(service, check(code, then + 10), check(code.lower() if profile != "E2" else code, then + 20))
    row = {"accepted": True, "reason": "accepted", "step": 0, "name": "****卡", "card_id": CARD, "profile": profile}
    assert found["rows"] == [row, row]
    assert (found["accepted"], found["refused"], found["unjudged"], found["conflicts"]) == (2, 0, 0, 0)


def test_every_row_is_judged_at_its_own_time_and_a_bad_one_is_bad_alone(at_work: Any) -> None:
    code, then = at_work.code(CARD)["payload"], at_work.clock.now
    at_work.clock.now += 3600
    rows = [
        check(code, then + 360),
        check(code, then + 361),
        check(code, then - 61),
        check(f"{CARD}:1", then, CONSULTATION),
        check(f"{CARD}:1", then),
        check("https://example.org", then),
        check(f"{CARD}:0:{'AB' * 16}", then),
        check(code, at_work.clock.now - 14_401),
        check(code, at_work.clock.now + 61),
        {"payload": 7},
        "},{",
        check(code, then, "payment"),
    ]
    expected = [
        *("accepted", "invalid", "invalid", "accepted", "scene", "foreign", "invalid"),
        *("too_late", "too_early", "malformed", "malformed", "scene"),
    ]
    found = upload(at_work, *rows)
    assert words(found) == expected
    assert (found["accepted"], found["refused"], found["unjudged"], found["conflicts"]) == (2, 6, 4, 8)
    (line,) = [line for line in at_work.log_lines() if line["event"] == "offline_checks"]
    assert sum(line["verdicts"].values()) == len(rows)
    assert line["verdicts"]["expired"] == line["verdicts"]["forged"] == 1
    assert CARD not in at_work.log.getvalue()
    assert b'ehc_verifications_total{reason="forged"} 1.0' in at_work.get("/metrics").content


def test_who_used_a_code_first_and_when_is_told_to_who_used_it_too(at_work: Any) -> None:
    code, then = at_work.code(CARD)["payload"], at_work.clock.now
    at_work.clock.now += 5
    online = {"payload": code, "scene": PAYMENT, "institution": "H-2", "terminal": "t7"}
    assert at_work.post("/v1/verify", online).json()["accepted"]
    at_work.clock.now += 3600
    (row,) = upload(at_work, check(code, then + 2))["rows"]
    first = {"institution": "H-2", "terminal": "t7", "at": "2026-01-01T08:00:05+08:00"}
    assert row == {"accepted": False, "reason": "replayed", "step": 8, "first": first}


def test_a_code_used_offline_is_used_and_the_same_upload_again_has_the_same_answer(at_work: Any) -> None:
    code, then = at_work.code(CARD)["payload"], at_work.clock.now
    once = upload(at_work, check(code, then + 2))
    assert once == upload(at_work, check(code, then + 2))
    assert at_work.verify(code)["reason"] == "replayed"
    other = upload(at_work, check(code, then + 3), terminal="t2")
    first = {"institution": "H-1", "terminal": "t1", "at": "2026-01-01T08:00:02+08:00"}
    assert other["rows"][0]["first"] == first
    assert other["conflicts"] == 1


def test_what_the_terminal_refused_uses_nothing_up(at_work: Any) -> None:
    code = at_work.code(CARD)["payload"]
    assert words(upload(at_work, check(code, at_work.clock.now, accepted=False))) == ["accepted"]
    assert at_work.verify(code)["accepted"]


@pytest.mark.parametrize("said", ["clock", "header", "recorded"])
def test_a_wrong_clock_is_put_right(at_work: Any, said: str) -> None:
    code, then = at_work.code(CARD)["payload"], at_work.clock.now
    at_work.clock.now += 3600
    fast = at_work.clock.now + 200
    body = {"institution": "H-1", "terminal": "t1", "checks": [check(code, then + 360 + 200)]}
    headers = {}
    if said == "clock":
        body["clock"] = fast
    elif said == "header":
        headers = {"x-client-time": str(fast)}
    else:
        at_work.services.sightings.see("H-1", "t1", at_work.clock.now, 200)
        at_work.services.places.seen(at_work.services.sightings.take())
    found = at_work.post("/v1/verify/batch", body, headers=headers).json()
    assert (words(found), found["clock_drift"]) == (["accepted"], 200)


def test_a_clock_that_is_too_wrong_judges_nothing(at_work: Any) -> None:
    code = at_work.code(CARD)["payload"]
    for clock in (at_work.clock.now + 301, 2**63 - 1, -(2**63)):
        assert words(upload(at_work, check(code, at_work.clock.now), clock=clock)) == ["clock"]
    assert at_work.verify(code)["accepted"]


def test_checks_from_before_a_terminal_was_disabled_count_and_later_ones_do_not(at_work: Any) -> None:
    code, then = at_work.code(CARD)["payload"], at_work.clock.now
    at_work.clock.now += 60
    at_work.request("PATCH", "/v1/institutions/H-1/terminals/t1", json={"enabled": False})
    at_work.clock.now += 60
    assert words(upload(at_work, check(code, then + 59), check(code, then + 60))) == ["accepted", "place"]


def test_a_batch_of_many_blocks_is_answered_row_for_row(at_work: Any) -> None:
    codes = []
    for _ in range(3):
        codes.append(at_work.code(CARD)["payload"])
        at_work.clock.now += 1
    rows = [check(codes[i % 3] if i % 5 else f"{i}", at_work.clock.now, CONSULTATION) for i in range(1200)]
    found = words(upload(at_work, *rows))
    assert found == ["accepted" if i % 5 else found[i] for i in range(1200)]
    assert {found[i] for i in range(0, 1200, 5)} <= {"grammar", "foreign"}


def test_a_time_that_no_clock_shows_is_too_early_or_too_late(at_work: Any) -> None:
    code = at_work.code(CARD)["payload"]
    assert words(upload(at_work, check(code, 2**70), check(code, -(2**70)))) == ["too_early", "too_late"]


@pytest.mark.parametrize("profile", ["N", "A", "E2"])
@pytest.mark.parametrize("seed", range(2))
def test_the_short_way_and_the_long_one_judge_alike(make_service: Make, profile: str, seed: int) -> None:
    """What is accepted in one native call the long way accepts too; the claims are those of the first who came."""
    chance, service = random.Random(seed), make_service(issue_profile=profile, static_scenes=[STATIC])
    services = service.services
    short, policy, late = services.offline, scene_policy(services.settings), late_policy(services.settings)
    long = OfflineVerifier(services.keys, services.hot, policy, late)
    card, used, accepted = service.register()["card_id"], dict[str, Claimant](), 0
    static, codes = service.code(card, "static")["payload"], list[str]()
    for _ in range(40):
        service.clock.now += chance.choice([1, 60, 400])
        codes.append(service.code(card)["payload"])
        now, offline = (
            service.clock.now,
            Offline(chance.choice(["H-1 t1", "H-1 t2", "H-2 t1"]), chance.choice([0, -20])),
        )
        texts = [chance.choice([*codes[-8:], *codes[-3:], static, codes[-1][:-1] + "0", "é"]) for _ in range(30)]
        checks = [
            OfflineCheck(text, now - chance.choice([0, 1, 300, 900]), chance.choice(SCENES), chance.random() < 0.9)
            for text in texts
        ]
        first, second = (short, long) if chance.random() < 0.8 else (long, short)
        found = anyio.run(first.check, checks, offline, now)
        for one, verdict in zip(checks, found, strict=True):
            if isinstance(verdict, OfflineVerdict) and verdict.reason is Reason.ACCEPTED:
                accepted += 1
                if one.accepted and one.scene == PAYMENT:
                    used.setdefault(one.payload, Claimant(offline.place, one.at - offline.drift))
        assert anyio.run(second.check, checks, offline, now) == found
        if chance.random() < 0.1:
            service.post("/v1/codes/revoke", {"payload": codes[-1]})
            codes.pop()
        for code in codes:
            plan = services.verifier.plan(code, PAYMENT, now)
            assert isinstance(plan, Plan)
            assert services.hot.claimant(plan.question) == used.get(code)
    assert accepted > 100, accepted


def test_a_caller_uploads_for_somebody(service: Any) -> None:
    answer = service.post("/v1/verify/batch", {"terminal": "t1", "checks": []})
    assert (answer.status_code, answer.json()["detail"]) == (422, "institution: say whose terminal this is")
