"""Uploads over a real crypto machine and a real SQLite file: every row has its ruling."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from services import settings_of

from ehc.errors import NotFound
from ehc.institutions.late import LatePolicy, late_policy
from ehc.institutions.place import Change, Channel, Department, Institution, Terminal
from ehc.institutions.records import Records
from ehc.institutions.use import Outcome, Report, Ruling, Use, UseStore
from ehc.model import Identity
from ehc.wiring.services import Services, open_services

NOW = 1_767_225_600  # 2026-01-01T08:00:00+08:00
DAY = 86_400
PERSON = Identity("01", "11010020171225006X", "电子健康卡")
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = open_services(settings_of(tmp_path, issuer=510100, node=3), clock=lambda: NOW)
    opened.registrar.register(PERSON, NOW, "desk")
    opened.register.add(Institution("H-1", "测试医院", "510104", "A100", NOW), "authority")
    opened.register.add(Department("H-1", "d1", "内科", NOW), "authority")
    opened.register.add(Terminal("H-1", "t1", Channel.WINDOW, "d1", NOW), "authority")
    yield opened
    opened.close()


def time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def report(record_id: str = "r1", at: int = NOW, **changes: str | None) -> Report:
    return Report(record_id, time(at), "010101", "served", CARD)._replace(**changes)


def rule(services: Services, *reports: Report, now: int = NOW) -> list[str]:
    return [one.ruling.value for one in services.records.upload("H-1", reports, now)]


def kept(services: Services) -> dict[str, Use]:
    return dict(services.records.uses.known("H-1", [f"r{n}" for n in range(20)]))


def test_a_use_is_kept_by_account_without_its_card_id(services: Services) -> None:
    assert rule(services, report(department="d1", terminal="t1")) == ["kept"]
    card = services.accounts.card(CARD)
    assert kept(services) == {
        "r1": Use("H-1", "r1", NOW, card.account, "010101", Outcome.SERVED, "d1", "t1"),
    }


def test_the_same_report_again_is_a_duplicate_however_late(services: Services) -> None:
    assert rule(services, report()) == ["kept"]
    services.register.change(Institution, ["H-1"], Change(enabled=False), NOW - 1, "authority")
    assert rule(services, report(), report(), now=NOW + 400 * DAY) == ["duplicate", "duplicate"]


@pytest.mark.parametrize(
    "change", [{"used_at": time(NOW - 1)}, {"scene": "010105"}, {"outcome": "failed"}, {"terminal": "t1"}]
)
def test_another_use_under_the_same_id_is_a_conflict_and_changes_nothing(
    services: Services, change: dict[str, str]
) -> None:
    assert rule(services, report()) == ["kept"]
    before = kept(services)
    assert rule(services, report(**change)) == ["conflict"]
    assert kept(services) == before


def test_a_call_may_hold_a_record_twice(services: Services) -> None:
    rows = [report(), report(), report(outcome="refused"), report("r2")]
    assert rule(services, *rows) == ["kept", "duplicate", "conflict", "kept"]


WRONG = {
    "record_id": ["", "a b", "-a", "x" * 65, "记录", "a\0"],
    "used_at": ["", "now", "2026-01-01T08:00:00", "1767225600", "2026-13-01T00:00:00Z"],
    "scene": ["", "1", "0101011", "０１０１０１", "scene1"],
    "outcome": ["", "SERVED", "0"],
    "card_id": [None, "", "电子健康卡", "AB" * 65],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in WRONG for value in WRONG[field]])
def test_what_is_malformed_is_refused_by_its_name_alone(services: Services, field: str, value: str | None) -> None:
    rows = [report("r1"), report("r2")._replace(**{field: value}), report("r3")]
    found = services.records.upload("H-1", rows, NOW)
    assert [one.ruling for one in found] == [Ruling.KEPT, Ruling.INVALID, Ruling.KEPT]
    assert field in found[1].detail
    assert set(kept(services)) == {"r1", "r3"}


def test_a_place_must_be_registered(services: Services) -> None:
    rows = [report("r1", department="d2"), report("r2", terminal="t2"), report("r3", terminal="a\0b")]
    assert rule(services, *rows) == ["unknown_department", "unknown_terminal", "unknown_terminal"]
    for code in ("H-2", "", "a\0b"):
        with pytest.raises(NotFound):
            services.records.upload(code, [report()], NOW)


def test_a_card_must_be_known(services: Services) -> None:
    assert rule(services, report(card_id="AB" * 32), report("r2", card_id=None, code=f"{'AB' * 32}:1")) == [
        "unknown_card",
        "unknown_card",
    ]
    assert kept(services) == {}


def test_a_card_is_found_by_card_id_and_by_every_code_even_an_expired_one(services: Services) -> None:
    account = services.accounts.card(CARD).account
    dynamic = f"{CARD}:0:{services.keys.seal_validity(NOW - 5 * DAY)}"
    compact = services.keys.seal_compact(account, issuer=510100, node=3, serial=7, issued_at=NOW - 5 * DAY, ttl=2)
    codes = [dynamic, f"{CARD}:1", CARD.lower(), compact]
    rows = [report(f"r{n}", card_id=None, code=code) for n, code in enumerate(codes)]
    assert rule(services, report("r9", card_id=CARD.lower()), *rows) == ["kept"] * 5
    assert {use.account for use in kept(services).values()} == {account}


@pytest.mark.parametrize("code", ["", "x" * 300, "电子健康卡", "1" * 28, "EHC2:", "EHC2:AAAAAAAA", "\0"])
def test_a_text_that_is_no_code_is_refused(services: Services, code: str) -> None:
    (found,) = services.records.upload("H-1", [report(card_id=None, code=code)], NOW)
    assert found.ruling is Ruling.INVALID
    assert "code" in found.detail


def test_card_id_and_code_exclude_each_other(services: Services) -> None:
    assert rule(services, report(code=f"{CARD}:1")) == ["invalid"]


def test_a_disabled_place_reports_what_was_before(services: Services) -> None:
    services.register.change(Terminal, ["H-1", "t1"], Change(enabled=False), NOW - 100, "a")
    services.register.change(Department, ["H-1", "d1"], Change(enabled=False), NOW - 200, "a")
    services.register.change(Institution, ["H-1"], Change(enabled=False), NOW - 50, "a")
    rows = [
        report("r1", NOW - 101, terminal="t1"),
        report("r2", NOW - 100, terminal="t1"),
        report("r3", NOW - 201, department="d1"),
        report("r4", NOW - 200, department="d1"),
        report("r5", NOW - 51),
        report("r6", NOW - 50),
    ]
    assert rule(services, *rows) == ["kept", "disabled"] * 3
    services.register.change(Institution, ["H-1"], Change(enabled=True), NOW, "a")
    assert rule(services, rows[-1]) == ["kept"]


# --- lateness


def test_a_use_may_be_so_many_days_old_and_clocks_may_differ(services: Services) -> None:
    rows = [
        report("r1", NOW - 7 * DAY),
        report("r2", NOW - 7 * DAY - 1),
        report("r3", NOW + 60),
        report("r4", NOW + 61),
    ]
    found = services.records.upload("H-1", rows, NOW)
    assert [one.ruling.value for one in found] == ["kept", "too_late", "kept", "too_early"]
    assert str(NOW - 7 * DAY) in found[1].detail
    assert set(kept(services)) == {"r1", "r3"}


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_times_at_the_ends_of_the_calendar_are_ruled_on(services: Services, at: str) -> None:
    assert rule(services, report()._replace(used_at=at)) in (["too_late"], ["too_early"])


def test_family_b_takes_uses_on_their_day_alone() -> None:
    midnight = NOW - 8 * 3600  # 2026-01-01T00:00:00+08:00
    policy = LatePolicy(days=30, same_day=True, tolerance=60)
    assert policy.earliest(midnight + 60) == policy.earliest(midnight + DAY + 59) == midnight
    assert policy.earliest(midnight + 59) == midnight - DAY  # still on its way from yesterday
    assert policy.latest(NOW) == NOW + 60


def test_the_rule_comes_from_the_settings(tmp_path: Path) -> None:
    made = settings_of(tmp_path, record_days=3, record_same_day=True, tolerance_seconds=5)
    assert late_policy(made) == LatePolicy(3, True, 5)


# --- races


class Overtaken:
    """A store in which another call keeps the same records between this one's question and its writing."""

    def __init__(self, store: UseStore, quicker: Sequence[Use]) -> None:
        self._store, self._quicker = store, quicker
        self.known, self.counts = store.known, store.counts

    def keep(self, uses: Sequence[Use], now: int) -> object:
        self._store.keep(self._quicker, now)
        return self._store.keep(uses, now)


def test_a_call_that_was_overtaken_says_what_became_of_each_row(services: Services) -> None:
    account = services.accounts.card(CARD).account
    same = Use("H-1", "r1", NOW, account, "010101", Outcome.SERVED)
    other = Use("H-1", "r2", NOW - 9, account, "010101", Outcome.SERVED)
    records = services.records
    overtaken = Records(
        records.places, Overtaken(records.uses, [same, other]), records.accounts, records.keys, records.policy
    )
    found = overtaken.upload("H-1", [report("r1"), report("r2"), report("r3"), report("r1")], NOW)
    assert [one.ruling.value for one in found] == ["duplicate", "conflict", "kept", "duplicate"]
