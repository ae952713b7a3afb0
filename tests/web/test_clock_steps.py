"""The clock of the service is set forward and back: no code serves twice, none that is over serves again, and new ones
serve under whatever time it is."""

from collections.abc import Callable
from typing import Any

import pytest

HOUR, DAY = 3600, 86_400
PAYMENT = "010105"


@pytest.fixture
def service(make_service: Callable[..., Any]) -> Any:
    return make_service(explain_refusals=True)


def reason(service: Any, code: str) -> str:
    return str(service.verify(code, PAYMENT)["reason"])


@pytest.mark.parametrize("step", [-DAY, -HOUR, -61, 61, HOUR, 30 * DAY])
def test_a_used_code_serves_no_second_time_whatever_the_clock_says(service: Any, step: int) -> None:
    card = service.register()["card_id"]
    code = service.code(card)["payload"]
    assert reason(service, code) == "accepted"
    for move in (step, -step, 1, step, -step):
        service.clock.now += move
        assert reason(service, code) in ("replayed", "expired", "early", "not_issued")


def test_nor_does_one_that_is_known_by_its_claim_alone(make_service: Callable[..., Any]) -> None:
    service = make_service(explain_refusals=True, issue_profile="A")
    card = service.register()["card_id"]
    code = service.code(card)["payload"]
    assert reason(service, code) == "accepted"
    service.clock.now += 30 * DAY
    assert reason(service, service.code(card)["payload"]) == "accepted"
    service.clock.now -= 30 * DAY
    assert reason(service, code) == "replayed"


@pytest.mark.parametrize("step", [-DAY, -HOUR, HOUR, DAY])
def test_a_new_code_serves_after_a_step_and_ends_by_the_clock_there_is(service: Any, step: int) -> None:
    card = service.register()["card_id"]
    old = service.code(card)["payload"]
    service.clock.now += step
    new = service.code(card)["payload"]
    assert reason(service, old) == ("expired" if step > 0 else "early")
    assert [reason(service, new), reason(service, new)] == ["accepted", "replayed"]
    service.clock.now += 361
    assert reason(service, new) == "expired"


def test_a_code_that_was_over_serves_again_only_unused_when_the_clock_is_set_right(service: Any) -> None:
    card = service.register()["card_id"]
    code = service.code(card)["payload"]
    service.clock.now += HOUR
    assert reason(service, code) == "expired"
    service.clock.now -= HOUR
    assert [reason(service, code), reason(service, code)] == ["accepted", "replayed"]


def test_a_history_stays_in_the_order_in_which_it_happened(service: Any) -> None:
    card = service.register()["card_id"]
    service.clock.now -= HOUR
    for what in ("suspend", "resume"):
        assert service.post(f"/v1/cards/{card}/{what}", {"reason": "a test"}).is_success
    events = service.get(f"/v1/cards/{card}/history").json()["events"]
    assert [event["event"] for event in events] == ["registered", "suspended", "resumed"]
    assert service.get(f"/v1/cards/{card}").json()["state"] == "normal"
