"""Two registries, one over HTTP, come to say the same; `ehc registry sync` and `reconcile` as their user runs them."""

import csv
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from physical import card, lines, number, record
from services import settings_of

from ehc.cards.accounts import Act
from ehc.cli.main import main
from ehc.cli.serve import running_service
from ehc.client import AsyncClient, Client
from ehc.config import Settings
from ehc.errors import Conflict, NotFound
from ehc.store.database import migrate, open_engine
from ehc.wiring.keys import open_machine
from ehc.wiring.stores import open_registry


@dataclass
class Two:
    """Registry 440000 is ours, in a file; 330000 is served at `url`, and the test writes beside the service."""

    url: str
    ours: Settings
    theirs: Settings
    ehc: Callable[..., str]

    def take(self, settings: Settings, records: Any) -> None:
        from ehc.registry.card import CardEventKind, Taking
        from ehc.registry.registry import columns

        with open_registry(settings, open_machine(settings)) as registry:
            registry.intake.take(*columns(records), Taking(0, CardEventKind.IMPORTED, "test"))

    def cards(self, settings: Settings) -> list[Any]:
        with open_registry(settings, open_machine(settings)) as registry:
            return list(registry.store.within("", "", 1 << 20))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = settings_of(tmp_path_factory.mktemp("ours"), registry="440000")
    migrate(open_engine(settings.database_url()))
    return settings.home_path()


@pytest.fixture
def two(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> Iterator[Two]:
    for side in ("ours", "theirs"):
        shutil.copytree(home, tmp_path / side)
    ours = Settings(home=str(tmp_path / "ours"), registry="440000")
    theirs = Settings(home=str(tmp_path / "theirs"), registry="330000")
    monkeypatch.setenv("EHC_HOME", ours.home)
    monkeypatch.setenv("EHC_REGISTRY", "440000")

    def ehc(*arguments: Any, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["ehc", "registry", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capfd.readouterr()
        assert (end.value.code or 0, said) == (code, said)
        return str(said.out + said.err)

    with running_service(theirs) as url:
        yield Two(url, ours, theirs, ehc)


def test_both_say_the_same_afterwards_and_that_is_proved(two: Two, tmp_path: Path) -> None:
    chance = random.Random(5)
    states = ("normal", "lost", "cancelled", "being_made", "not_issued")
    for settings in (two.ours, two.theirs):
        rows = [
            record(i, state=chance.choice(states), version=chance.randint(1, 3), source=settings.registry)
            for i in range(2500)
            if chance.random() < 0.8
        ]
        two.take(settings, rows)
    output = tmp_path / "differences.csv"
    assert "cards differ: see" in two.ehc("reconcile", two.url, "-o", output, code=7)
    with output.open(newline="", encoding="utf-8") as file:
        differing = list(csv.DictReader(file))
    ours, theirs = ({one.number: one for one in two.cards(side)} for side in (two.ours, two.theirs))
    assert {row["number"] for row in differing} == {n for n in ours | theirs if ours.get(n) != theirs.get(n)}
    assert card(1).id_number not in output.read_text("utf-8")
    said = two.ehc("sync", two.url)
    assert "refused" not in said
    assert two.cards(two.ours) == two.cards(two.theirs)
    assert {one.number for one in two.cards(two.ours)} == set(ours | theirs)
    assert "both say the same of every card" in two.ehc("reconcile", two.url, "-o", output)
    again = two.ehc("sync", two.url)
    assert "new" not in again.replace("newer", "")
    assert "newer" not in again
    assert two.ehc("sync", two.url, "--anew").count(" new") == 0
    assert two.cards(two.ours) == two.cards(two.theirs)


def test_what_is_changed_on_either_side_arrives_on_the_other(two: Two) -> None:
    two.take(two.ours, [record(0, source="440000"), record(1, source="440000")])
    two.ehc("sync", two.url)
    with Client(two.url) as client:
        changed = client.change_physical_card(number(0), "lost", "lost on a bus")
        assert (changed.version, changed.source) == (2, "330000")
    with open_registry(two.ours, open_machine(two.ours)) as registry:
        registry.change_state(number(1), "cancelled", Act(0, "desk", "replaced"))
    two.ehc("sync", two.url)
    with Client(two.url) as client:
        assert client.physical_card(number(1)).state == "cancelled"
        assert [e.kind for e in client.physical_card_history(number(1)).events] == ["received", "received"]
    with open_registry(two.ours, open_machine(two.ours)) as registry:
        assert registry.card(number(0)).card.state.word == "lost"


def test_two_of_one_code_are_no_two_registries(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EHC_REGISTRY", "330000")
    assert "both registries call themselves 330000" in two.ehc("sync", two.url, code=7)


def test_trouble_says_what_it_is(two: Two, tmp_path: Path) -> None:
    assert "https is wanted" in two.ehc("sync", "http://registry.example", code=3)
    assert "a URL wanted" in two.ehc("reconcile", "registry.example", code=3)
    assert "No such file" in two.ehc("sync", two.url, "--key-file", tmp_path / "none", code=3)
    assert "does not answer" in two.ehc("reconcile", "http://127.0.0.1:9", code=8)


def test_the_client_does_all_that_a_caller_may(two: Two, tmp_path: Path) -> None:
    holder = card(7)[3:6]
    with Client(two.url) as client:
        made = client.register_physical_card("B7", "330100", holder, "normal", "C7")
        assert (made.created, made.registry, made.national) == (True, "330000", False)
        assert made.card_id is not None
        assert client.physical_cards_of(made.card_id).physical_cards[0].number == "B7"
        feed = client.registry_feed()
        assert [one.number for one in feed.cards] == ["B7"]
        assert card(7).name not in repr(feed)
        assert client.registry_digest().cards == 1
        assert client.registry_range("", "").cards == feed.cards
        pushed = client.push_to_registry("440000", [record(8)._asdict()])
        assert pushed.rulings == ["new"]
        with pytest.raises(Conflict):
            client.change_physical_card("B7", "being_made", "a mistake")
        with pytest.raises(NotFound):
            client.physical_card("B9")
    assert {n for n in vars(Client) if n[0] != "_"} == {n for n in vars(AsyncClient) if n[0] != "_"}


def test_the_national_registry_is_asked_where_ours_has_no_such_card_and_the_answer_says_so(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.take(two.theirs, [record(1, source="330000")])
    settings = Settings(home=two.ours.home, registry="440000", national_registry=two.url, national_registry_seconds=30)
    with running_service(settings) as url, Client(url) as client:
        found = client.physical_card(number(1))
        assert (found.national, found.registry, found.card_id, found.source) == (True, "330000", None, "330000")
        with pytest.raises(NotFound, match="neither this registry nor the national one"):
            client.physical_card(number(2))
        with pytest.raises(NotFound, match="no physical card has this number here"):
            client.physical_card(number(1), local=True)
    assert "no physical card has this number here" in two.ehc("show", number(1), code=7)
    monkeypatch.setenv("EHC_NATIONAL_REGISTRY", two.url)
    said = two.ehc("show", number(1))
    assert "the national one, 330000, says" in said
    assert card(1).id_number not in said


def test_an_export_imported_on_one_side_is_on_both_after_a_synchronisation(two: Two, tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text(lines(record(i, source="440000") for i in range(30)), "utf-8")
    two.ehc("import", tmp_path / "cards.csv")
    assert "30 new" in two.ehc("sync", two.url)
    with open_registry(two.theirs, open_machine(two.theirs)) as registry:
        assert all(registry.card(number(i)).account for i in range(30))
