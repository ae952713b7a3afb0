"""Operators, sessions and deeds in both databases; records that only grow."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from invented_cards import new_card
from sqlalchemy import exc, text

from ehc.access.looks import Look
from ehc.access.operator import Deed, Operator, Role, new_operator
from ehc.access.sign_in import FREE, who_of
from ehc.errors import Conflict, InputError, NotFound
from ehc.store.database import open_engine
from ehc.wiring.stores import Stores

LI = Operator("li.na", Role.SECURITY, 1)
WANG = Operator("wang.yu", Role.SYSTEM, 1)


def test_an_operator_s_name_is_never_given_again(stores: Stores) -> None:
    stores.operators.add(WANG, "h")
    stores.operators.add(LI, "hash")
    assert stores.operators.find("li.na") == (LI, "hash")
    assert stores.operators.find("LI.NA") is None
    stores.operators.set_enabled("li.na", False, 5)
    with pytest.raises(Conflict, match="another name"):
        stores.operators.add(LI, "other")
    assert [(one.name, one.disabled_at) for one in stores.operators.all()] == [("li.na", 5), ("wang.yu", None)]


def test_the_last_operator_of_the_system_stays(stores: Stores) -> None:
    stores.operators.add(WANG, "h")
    with pytest.raises(Conflict, match="last operator"):
        stores.operators.set_enabled("wang.yu", False, 5)
    stores.operators.add(Operator("sun.li", Role.SYSTEM, 1), "h")
    stores.operators.set_enabled("wang.yu", False, 5)
    with pytest.raises(Conflict, match="last operator"):
        stores.operators.set_enabled("sun.li", False, 5)
    stores.operators.set_enabled("wang.yu", True, 6)


@pytest.mark.parametrize("name", ["nobody", "'; DROP TABLE operators; --"])
def test_who_is_not_there_is_not_found(stores: Stores, name: str) -> None:
    stores.operators.add(WANG, "h")
    with pytest.raises(NotFound):
        stores.operators.set_password(name, "h", None)
    with pytest.raises(NotFound):
        stores.operators.set_enabled(name, False, 1)
    assert stores.operators.find(name) is None


def test_another_password_or_disabling_ends_all_sessions_of_that_operator_alone(stores: Stores) -> None:
    for operator in (LI, WANG):
        stores.operators.add(operator, "h")
        for digest in (b"1", b"2"):
            stores.sessions.begin(digest * 16 + operator.name[:1].encode() * 16, operator.name, 10, 0)
    stores.operators.set_password("li.na", "new", 99)
    assert stores.operators.find("li.na") == (Operator("li.na", Role.SECURITY, 1, one_time_until=99), "new")
    alive = [stores.sessions.find(d * 16 + n * 16) is not None for n in (b"l", b"w") for d in (b"1", b"2")]
    assert alive == [False, False, True, True]


def test_a_session_is_found_used_and_ended(stores: Stores) -> None:
    stores.operators.add(WANG, "h")
    stores.operators.add(LI, "h")
    stores.sessions.begin(b"a" * 32, "li.na", 10, 0)
    stores.sessions.seen(b"a" * 32, 50)
    stores.sessions.look_at(b"a" * 32, 7, "投诉")
    found = stores.sessions.find(b"a" * 32)
    assert found is not None
    assert (found.operator, found.began_at, found.seen_at, found.account, found.purpose) == (LI, 10, 50, 7, "投诉")
    stores.sessions.begin(b"b" * 32, "li.na", 90, 11)  # those that are over go
    assert stores.sessions.find(b"a" * 32) is None
    stores.sessions.end(b"b" * 32)
    assert stores.sessions.find(b"b" * 32) is None


def test_an_operator_s_sessions_the_latest_first_and_nobody_else_s(stores: Stores) -> None:
    for operator in (LI, replace(LI, name="zhao.min")):
        stores.operators.add(operator, "h")
    stores.sessions.begin(b"a" * 32, "li.na", 100, 0)
    stores.sessions.begin(b"b" * 32, "li.na", 200, 0)
    stores.sessions.begin(b"c" * 32, "zhao.min", 300, 0)
    assert [one.digest[:1] for one in stores.sessions.of("li.na")] == [b"b", b"a"]
    assert stores.sessions.of("nobody") == []


def test_a_second_factor_is_bound_once_and_each_of_its_steps_serves_once(stores: Stores) -> None:
    stores.operators.add(LI, "h")
    assert stores.operators.second_factor("li.na") is None
    assert not stores.operators.use_step("li.na", 7)  # there is none
    stores.operators.bind("li.na", b"sealed", 7, 210)
    assert stores.operators.all() == [replace(LI, second_factor_at=210)]
    with pytest.raises(Conflict, match="removed first"):
        stores.operators.bind("li.na", b"another", 9, 270)
    assert stores.operators.second_factor("li.na") == b"sealed"
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: stores.operators.use_step("li.na", 8), range(24))) == 1
    assert not stores.operators.use_step("li.na", 7)
    stores.operators.unbind("li.na")
    assert stores.operators.all() == [LI]
    for change in (lambda: stores.operators.bind("nobody", b"s", 7, 1), lambda: stores.operators.unbind("nobody")):
        with pytest.raises(NotFound):
            change()


def test_attempts_at_once_are_each_counted(stores: Stores) -> None:
    """Guessing in parallel gives no more guesses."""
    who = who_of("li.na")
    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: stores.operators.attempt(who, 1000), range(24)))
    assert sum(allowed) == FREE
    assert stores.operators.attempt(who_of("wang.yu"), 1000)
    assert not stores.operators.attempt(who, 1029)
    assert stores.operators.attempt(who, 1030)


def test_deeds_are_read_newest_first_and_page_by_page(stores: Stores) -> None:
    for i in range(5):
        stores.deeds.record(Deed(i, "li.na" if i % 2 else "wang.yu", "change_state", f"s{i}", i or None))
    newest = stores.deeds.deeds(limit=2)
    assert [deed.subject for deed in newest] == ["s4", "s3"]
    assert [deed.subject for deed in stores.deeds.deeds(before=newest[-1].number)] == ["s2", "s1", "s0"]
    assert [deed.account for deed in stores.deeds.deeds("li.na")] == [3, 1]


def test_looks_are_read_page_by_page(stores: Stores) -> None:
    for i in range(3):
        stores.looks.record(Look(i, "operator:li.na", "search", None, "投诉"))
    newest = stores.looks.looks(limit=2)
    assert [look.at for look in stores.looks.looks(before=newest[-1].number)] == [0]


@pytest.mark.parametrize("table", ["looks", "operator_deeds"])
def test_the_database_itself_refuses_to_change_or_delete_what_was_recorded(
    stores: Stores, tmp_path: Path, table: str
) -> None:
    stores.looks.record(Look(1, "operator:li.na", "search", None, "投诉"))
    stores.deeds.record(Deed(1, "li.na", "sign_in"))
    url = (tmp_path / "database.url").read_text() if (tmp_path / "database.url").exists() else ""
    engine = open_engine(url or f"sqlite:///{tmp_path / 'ehc.db'}")
    for statement in ("UPDATE {} SET at = 2", "DELETE FROM {}"):
        with pytest.raises(exc.DBAPIError, match="only grow"), engine.begin() as connection:
            connection.execute(text(statement.replace("{}", table)))
    engine.dispose()
    assert len(stores.looks.looks()) == len(stores.deeds.deeds()) == 1


def test_people_are_found_by_a_telephone_number(stores: Stores) -> None:
    known = [{"phone": "138 0013 8000"}, {"phone": "+8613800138000", "contact_phone": "139"}, {"contact_phone": "138"}]
    one, two, _ = (
        stores.accounts.register(replace(new_card(i), details=details), 1).account for i, details in enumerate(known)
    )
    forms = {"138", "138 0013 8000", "+8613800138000"}
    assert [card.account for card in stores.accounts.cards_of_phone(forms, 20)] == [one, two]
    assert [card.account for card in stores.accounts.cards_of_phone(forms, 1)] == [one]
    assert stores.accounts.cards_of_phone({"139"}, 20) == []


@pytest.mark.parametrize("name", ["", "a", "Li.Na", "1a", "a b", "a" * 33, "-ab", "李娜"])
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="2 to 32"):
        new_operator(name, "audit", 1)


def test_a_role_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="system, security, audit"):
        new_operator("li.na", "root", 1)
