"""What the service counts, and how all workers' counts come together."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from services import settings_of, wait_for, workers_of

from ehc.cli.serve import start_service, stop_service
from ehc.web.metrics import text
from ehc.web.observed import Observed, Snapshot

PERSON = {"id_type": "03", "id_number": "E00000001", "name": "张三"}

Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def numbers_of(shown: str) -> Numbers:
    families = text_string_to_metric_families(shown)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def requests_in(numbers: Numbers, operation: str, status: int) -> float:
    return numbers.get(("ehc_requests_total", (("operation", operation), ("status", str(status)))), 0)


def test_requests_and_verdicts_are_counted(service: Any) -> None:
    service.register()
    code = service.code(service.register()["card_id"])["payload"]
    for text_of_a_code in (code, code, "x"):
        service.verify(text_of_a_code)
    service.get("/nowhere")
    numbers = numbers_of(service.get("/metrics").text)
    assert requests_in(numbers, "register_card", 201) == 1
    assert requests_in(numbers, "verify", 200) == 3
    assert requests_in(numbers, "none", 404) == 1
    verdicts = {labels[0][1]: n for (name, labels), n in numbers.items() if name == "ehc_verifications_total"}
    assert verdicts == {"accepted": 1, "replayed": 1, "grammar": 1} or sum(verdicts.values()) == 3
    assert numbers["ehc_request_seconds_count", (("operation", "verify"),)] == 3
    assert numbers["ehc_request_seconds_sum", (("operation", "verify"),)] > 0


def test_the_histogram_puts_a_request_where_it_belongs() -> None:
    observed = Observed()
    for seconds in (0.0005, 0.0006, 0.5, 99.0):
        observed.request("verify", 200, seconds)
    numbers = numbers_of(text([observed.snapshot()]).decode())
    buckets = {dict(labels)["le"]: n for (name, labels), n in numbers.items() if name == "ehc_request_seconds_bucket"}
    assert (buckets["0.0005"], buckets["0.001"], buckets["0.25"], buckets["0.5"]) == (1, 2, 2, 3)
    assert (buckets["10.0"], buckets["+Inf"]) == (3, 4)


def test_all_workers_are_added_up_also_one_that_has_ended(tmp_path: Path) -> None:
    ended = Snapshot(time.time() - 60, 1, 5, [("verify", 200, 7)], {"verify": [1.0] * 17}, {"accepted": 7})
    other = Snapshot(time.time(), 2, 6, [("verify", 200, 1), ("verify", 0, 2)], {}, {"accepted": 1, "forged": 2})
    for snapshot in (ended, other):
        (tmp_path / f"{snapshot.pid}.json").write_bytes(msgspec.json.encode(snapshot))
    own = Observed(tmp_path)
    own.request("verify", 200, 0.1)
    own.verdict("accepted")
    own.write()
    numbers = numbers_of(text(own.all()).decode())
    assert (requests_in(numbers, "verify", 200), requests_in(numbers, "verify", 0)) == (9, 2)
    assert numbers["ehc_verifications_total", (("reason", "accepted"),)] == 9
    assert numbers["ehc_request_seconds_count", (("operation", "verify"),)] == 17
    alive = {labels[0][1] for (name, labels) in numbers if name == "ehc_worker_resident_bytes"}
    assert alive == {"2", str(os.getpid())}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, url = start_service(settings_of(tmp_path_factory.mktemp("metrics"), workers=2))
    assert len(workers_of(process)) == 2
    yield url
    stop_service(process)


def test_whichever_worker_is_asked_tells_of_all_and_none_is_large(url: str) -> None:
    closing = {"connection": "close"}  # a connection each, so that both workers get some
    with httpx.Client(headers=closing) as client:
        assert client.post(f"{url}/v1/cards", json=PERSON).is_success  # what the index follows takes memory too
        for _ in range(40):
            assert client.get(f"{url}/v1/time").is_success

        def told() -> set[float]:
            shown = [numbers_of(client.get(f"{url}/metrics").text) for _ in range(8)]
            return {requests_in(numbers, "tell_time", 200) for numbers in shown}

        def sizes() -> list[float]:
            numbers = numbers_of(client.get(f"{url}/metrics").text)
            return [size for (name, _), size in numbers.items() if name == "ehc_worker_resident_bytes"]

        wait_for(lambda: told() == {40})
        wait_for(lambda: len(sizes()) == 2)
        assert max(sizes()) < 150 * 2**20


def test_a_proxy_on_this_machine_hands_on_no_metrics(service: Any) -> None:
    from test_callers import bearer

    bearer(service, "somebody", "verify")
    assert service.get("/metrics").is_success
    for name in ("forwarded", "x-forwarded-for"):
        assert service.get("/metrics", headers={name: "192.0.2.1"}).status_code == 401
