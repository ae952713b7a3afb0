"""ports.HotState, over every implementation."""

import multiprocessing
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from hot_states import NOW, accounts, open_hot, run
from plain_cards import Cards

from ehc.config import Settings
from ehc.model import AccountState, Answer, Card, Claim, Claimant, Identity, Question
from ehc.ports import HotState, Questions
from ehc.wiring.stores import open_store

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
UNKNOWN = "00FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
CODE = b"N" + bytes(48)
UNTIL = NOW + 360
PERSON = Identity("01", "11010020171225006X", "电子健康卡")


@pytest.fixture(params=["mapped", "redis", "redis cluster"], scope="module")
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("redis")
    if request.param == "mapped":
        yield ""
    elif request.param == "redis":
        with servers.redis(folder) as server:
            yield server.url
    else:
        with servers.redis_cluster(folder) as nodes:
            yield servers.cluster_url(nodes)


@pytest.fixture(autouse=True)
def empty(url: str) -> None:
    """Every test begins with nothing taken."""
    for port in re.findall(r":(\d+)", url):
        subprocess.run(["redis-cli", "-p", port, "FLUSHALL"], check=True, capture_output=True)


@pytest.fixture
def card(tmp_path: Path) -> Card:
    stores = open_store(Settings(home=str(tmp_path)))
    registered, _ = Cards(stores.accounts).register(PERSON, bytes(32), CARD, 1, NOW - 1000)
    stores.close()
    return registered


@pytest.fixture
def hot(url: str, tmp_path: Path, card: Card) -> Iterator[HotState]:
    opened = open_hot(url, tmp_path)
    yield opened
    opened.close()


def asking(code: bytes = CODE, *, uses: int = 1, holder: int = 0, issued: bool = False, card: str = CARD) -> Question:
    return Question(card, code, NOW, UNTIL, must_be_issued=issued, uses=uses, holder=holder)


def claim(hot: HotState, question: Question) -> Claim:
    answer: Answer = run(hot.ask(question, NOW))
    return answer.claim


def test_the_first_claim_wins_and_the_second_loses(hot: HotState) -> None:
    assert [claim(hot, asking()) for _ in range(3)] == [Claim.WON, Claim.LOST, Claim.LOST]


def test_other_codes_are_not_touched(hot: HotState) -> None:
    assert claim(hot, asking()) is Claim.WON
    assert claim(hot, asking(b"A" + CODE[1:])) is Claim.WON
    assert claim(hot, asking(CODE + b"\0")) is Claim.WON


def test_a_holder_may_claim_again_and_nobody_else(hot: HotState) -> None:
    wanted = [asking(holder=7), asking(holder=7), asking(holder=8), asking(), asking(holder=7)]
    found = [claim(hot, question) for question in wanted]
    assert found == [Claim.WON, Claim.AGAIN, Claim.LOST, Claim.LOST, Claim.AGAIN]


def test_a_code_for_three_uses_serves_three_holders(hot: HotState) -> None:
    found = [claim(hot, asking(uses=3, holder=holder)) for holder in (1, 2, 3, 4)]
    assert found == [Claim.WON, Claim.WON, Claim.WON, Claim.LOST]


def test_a_question_without_uses_claims_nothing(hot: HotState) -> None:
    assert claim(hot, asking(uses=0)) is Claim.NONE
    assert claim(hot, asking()) is Claim.WON


def test_a_revoked_code_is_revoked_for_all_who_ask(hot: HotState) -> None:
    assert claim(hot, asking(holder=7)) is Claim.WON
    run(hot.revoke(CARD, CODE, NOW, UNTIL))
    assert [claim(hot, asking(holder=7)), claim(hot, asking(uses=0))] == [Claim.REVOKED] * 2


def test_only_remembered_codes_were_issued_and_nothing_is_claimed_for_others(hot: HotState) -> None:
    assert run(hot.ask(asking(issued=True), NOW)) == Answer(False, None)
    run(hot.remember(CARD, CODE, NOW, UNTIL))
    run(hot.remember(CARD, CODE, NOW, UNTIL))
    assert claim(hot, asking(issued=True)) is Claim.WON


def test_an_unknown_card_is_none_and_its_code_stays_unclaimed(hot: HotState) -> None:
    assert run(hot.ask(asking(card=UNKNOWN), NOW)) == Answer(True, None)
    assert run(hot.status(UNKNOWN)) is None
    assert claim(hot, asking()) is Claim.WON


def test_a_code_without_a_token_only_asks_for_the_card(hot: HotState, card: Card) -> None:
    assert run(hot.ask(Question(CARD), NOW)) == Answer(True, card.status())
    assert run(hot.status(CARD)) == card.status()


def test_a_changed_card_is_seen_at_once_by_every_opener(url: str, hot: HotState, card: Card, tmp_path: Path) -> None:
    other = open_hot(url, tmp_path)
    for each in (hot, other):
        assert run(each.ask(Question(CARD), NOW)).card.state is AccountState.NORMAL
    hot.changing(card)
    Cards(accounts(tmp_path)).set_state(CARD, AccountState.SUSPENDED, NOW)
    hot.changing(card)
    for each in (hot, other):
        assert run(each.ask(asking(), NOW)) == Answer(True, card.status()._replace(state=AccountState.SUSPENDED))
    other.close()


def test_a_suspended_card_s_code_is_not_claimed(hot: HotState, card: Card, tmp_path: Path) -> None:
    for state, expected in ((AccountState.SUSPENDED, Claim.NONE), (AccountState.NORMAL, Claim.WON)):
        hot.changing(card)
        Cards(accounts(tmp_path)).set_state(CARD, state, NOW)
        hot.changing(card)
        assert claim(hot, asking()) is expected


def test_what_was_claimed_remembered_and_revoked_is_there_after_opening_again(
    url: str, hot: HotState, tmp_path: Path
) -> None:
    assert claim(hot, asking()) is Claim.WON
    run(hot.remember(CARD, b"issued", NOW, UNTIL))
    run(hot.revoke(CARD, b"revoked", NOW, UNTIL))
    hot.close()
    again = open_hot(url, tmp_path)
    found = [claim(again, question) for question in (asking(), asking(b"issued", issued=True), asking(b"revoked"))]
    assert found == [Claim.LOST, Claim.WON, Claim.REVOKED]
    again.close()


def test_what_may_be_asked_once_is_asked_once_by_whoever_comes_first(url: str, hot: HotState, tmp_path: Path) -> None:
    other = open_hot(url, tmp_path)
    assert [run(each.once(b"this", NOW, UNTIL)) for each in (hot, other, hot)] == [True, False, False]
    assert run(other.once(b"that", NOW, UNTIL))
    other.close()


CODES = 300


def _claim_all(url: str, folder: str, step: int) -> list[int]:
    hot = open_hot(url, Path(folder))
    order = [(i * step) % CODES for i in range(CODES)]
    return [i for i in order if claim(hot, asking(b"%d" % i)) is Claim.WON]


def test_of_many_processes_exactly_one_wins_each_code(url: str, hot: HotState, tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        won = pool.starmap(_claim_all, [(url, str(tmp_path), step) for step in (1, 7, 299)])
    assert sorted(code for codes in won for code in codes) == list(range(CODES))


def _claim_and_die(url: str, folder: str) -> None:
    if claim(open_hot(url, Path(folder)), asking()) is Claim.WON:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_claim_survives_a_kill_9_of_its_claimant(url: str, hot: HotState, tmp_path: Path) -> None:
    claimant = multiprocessing.get_context("spawn").Process(target=_claim_and_die, args=(url, str(tmp_path)))
    claimant.start()
    claimant.join()
    assert claimant.exitcode == -signal.SIGKILL  # so it had won
    assert claim(hot, asking()) is Claim.LOST


def many(hot: HotState, *questions: Question, place: tuple[int, str] = (7, "H-1 t1")) -> list[Answer]:
    columns = [[question[field] for question in questions] for field in range(6)]
    found = run(hot.ask_many(Questions(*columns, [NOW] * len(questions), *place)))
    return [Answer(*row) for row in zip(*found, strict=True)]


def test_many_questions_have_the_answers_that_each_would_have(hot: HotState, card: Card) -> None:
    run(hot.remember(CARD, CODE, NOW, UNTIL))
    known = Question(CARD, CODE, NOW, UNTIL, must_be_issued=True, uses=1, holder=7, place="H-1 t1")
    other, revoked = known._replace(code=CODE + b"x"), known._replace(code=CODE + b"y", must_be_issued=False)
    run(hot.revoke(CARD, revoked.code, NOW, UNTIL))
    taken = known._replace(code=CODE + b"z", must_be_issued=False)
    run(hot.ask(taken, NOW))
    status = card.status()
    assert many(hot, known, other, taken, revoked, Question(UNKNOWN), Question(card.account)) == [
        Answer(True, status, Claim.WON),
        Answer(False, None),
        Answer(True, status, Claim.AGAIN),
        Answer(True, status, Claim.REVOKED),
        Answer(True, None),
        Answer(True, status),
    ]
    assert many(hot, known, taken, place=(8, "H-2 t2")) == [Answer(True, status, Claim.LOST)] * 2
    assert many(hot) == []


def test_who_claimed_a_code_first_and_when_is_known_to_all(url: str, hot: HotState, tmp_path: Path) -> None:
    asked = Question(CARD, CODE, NOW, UNTIL, uses=1, holder=7, place="H-1 t1")
    assert run(hot.claimant(asked)) is None
    run(hot.ask(asked, NOW + 5))
    run(hot.ask(asked._replace(holder=8, place="H-2 t2"), NOW + 6))
    other = open_hot(url, tmp_path)
    assert run(hot.claimant(asked)) == run(other.claimant(asked)) == Claimant("H-1 t1", NOW + 5)
    nobody = asked._replace(code=CODE + b"2", holder=0, place="")
    run(other.ask(nobody, NOW))
    assert run(hot.claimant(nobody)) == Claimant("", NOW)
    other.close()
