"""Cards that Redis tells changes of (store/redis_nodes.py): their codes are claimed by one plain command, and no change
is missed, whoever made it and whenever it comes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import servers
from both_ways import DESK, SINGLE_USE, Both, body_of, number_of, opened

from ehc.errors import Unavailable
from ehc.store.hot_redis import STATUS_SECONDS


@pytest.fixture
def server(tmp_path: Path) -> Iterator[servers.Redis]:
    with servers.redis(tmp_path / "redis") as started:
        yield started


@pytest.fixture
def both(server: servers.Redis, make_service: Callable[..., Any]) -> Iterator[Both]:
    with opened(make_service, issue_profile="E2", redis=server.url) as service:
        yield service


class Desk:
    """Where new codes of one card are shown; made before, since the service's own requests have other event loops."""

    def __init__(self, both: Both, server: servers.Redis) -> None:
        self.both, self.server = both, server
        self.card_id = both.service.register(id_number=number_of(0))["card_id"]
        self.open()

    def open(self) -> None:
        self._codes = [self.both.service.code(self.card_id)["payload"] for _ in range(12)]
        self.both.long(self.body())

    def body(self) -> bytes:
        return body_of(self._codes.pop(), **DESK)

    def accepted(self) -> bool:
        """A new code, at once."""
        answer = self.both.at_once(self.body())
        assert answer is None or json.loads(answer)["accepted"]
        return answer is not None

    def commands(self) -> dict[str, int]:
        """How often Redis was asked each."""
        lines = self.server.command("INFO", "commandstats").splitlines()
        calls = (line.removeprefix("cmdstat_").partition(":calls=") for line in lines if ":calls=" in line)
        return {name: int(rest.partition(",")[0]) for name, _, rest in calls}

    def asked_by(self, call: Callable[[], object]) -> dict[str, int]:
        """Which of the two ways it took."""
        before = self.commands()
        call()
        after = self.commands()
        return {name: n for name in ("evalsha", "set") if (n := after.get(name, 0) - before.get(name, 0))}

    def watch(self) -> None:
        """At the second sight; the third is claimed plainly."""
        assert [self.asked_by(self.accepted) for _ in range(3)][2] == {"set": 1}


@pytest.fixture
def desk(both: Both, server: servers.Redis) -> Desk:
    return Desk(both, server)


def test_the_claim_of_a_watched_card_is_the_same(desk: Desk) -> None:
    """Its own place has it again, by the one way and the other; another place is told by whom it was claimed."""
    desk.watch()
    both, body = desk.both, desk.body()
    first = both.at_once(body)
    assert first is not None
    assert first == both.at_once(body) == both.long(body)
    elsewhere = body_of(json.loads(body)["payload"], institution="H2")
    assert json.loads(both.long(elsewhere))["reason"] == "replayed"
    assert both.at_once(elsewhere) is None
    with redis.Redis.from_url(desk.server.url) as client:
        kept = [client.ttl(key) for key in client.keys("ehc:*:t:*")]
    assert len(kept) == 5  # claimed by a question, and plainly
    assert min(kept) > max(kept) - 60 > 3600


def test_a_card_that_is_changed_by_another_connection_is_asked_for_again(desk: Desk) -> None:
    desk.watch()
    desk.both.service.post(f"/v1/cards/{desk.card_id}/suspend", {"reason": "lost"})
    body = desk.body()
    assert desk.both.at_once(body) is None
    assert json.loads(desk.both.long(body))["reason"] == "card_state"
    desk.both.service.post(f"/v1/cards/{desk.card_id}/resume", {"reason": "found"})
    desk.server.command("FLUSHALL")  # the mark of a change would keep the status out of Redis for seconds
    desk.both.service.clock.now += 1  # no code from before the change serves
    desk.open()
    desk.watch()


def test_a_change_between_the_question_and_the_answer_is_noticed(desk: Desk) -> None:
    desk.watch()
    both, body = desk.both, desk.body()
    verifier = both.service.services.verifier
    card = verifier.plan(json.loads(body)["payload"], SINGLE_USE, both.service.clock.now).question.card
    tag = f"a{card}" if isinstance(card, int) else card

    async def asked_while_it_changes() -> bytes | None:
        later = both.shortcut.verify(body, None, both.service.clock.now, None)
        assert later is not None
        assert not isinstance(later, bytes)  # what is asked leaves at the end of this turn
        assert desk.server.command("DEL", f"ehc:{{{tag}}}:s:") == "1"
        return await later

    assert both.service.run(asked_while_it_changes) is None
    assert json.loads(both.long(body))["accepted"]  # it changed into what it was


@pytest.mark.parametrize("what", ["FLUSHALL", "restart", "late"])
def test_what_may_have_been_missed_is_asked_for_again(desk: Desk, what: str) -> None:
    desk.watch()
    if what == "FLUSHALL":
        desk.server.command("FLUSHALL")
        assert not desk.accepted()
    elif what == "restart":
        desk.server.kill()
        desk.server.start()
        with pytest.raises(Unavailable, match="closed the connection"):  # the event loop stood still meanwhile
            desk.accepted()
    else:
        desk.both.service.clock.now += STATUS_SECONDS + 1
    desk.both.long(desk.body())
    assert "evalsha" in desk.asked_by(desk.accepted)


def test_a_redis_that_may_not_tell_is_asked_everything(server: servers.Redis, make_service: Callable[..., Any]) -> None:
    server.command("ACL", "SETUSER", "default", "-client|tracking")
    with opened(make_service, issue_profile="E2", redis=server.url) as both:
        desk = Desk(both, server)
        assert [desk.asked_by(desk.accepted) for _ in range(4)] == [{"evalsha": 1, "set": 1}] * 4
