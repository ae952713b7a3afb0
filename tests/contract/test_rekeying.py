"""cards.rekeying over every store: which ids find a card, and which is shown, in every phase."""

import threading
from dataclasses import replace
from datetime import date

import pytest
from invented_cards import new_card, person
from rekeyings import NOW, Province, card_id, key_of
from sqlalchemy import text

from ehc.cards.rekeying import Phase, pause
from ehc.crypto import derive_batch
from ehc.errors import Conflict, KeyUnavailable, NotFound
from ehc.model import Identity, VersionedId
from ehc.wiring.stores import Stores

PEOPLE = range(20)
LEGACY = "0123456789ABCDEF" * 3


@pytest.fixture
def province(stores: Stores) -> Province:
    made = Province(stores, active=1)  # the province as it was
    made.register_many(PEOPLE)
    return replace(made, active=2)


def sql(province: Province, statement: str) -> list[tuple[object, ...]]:
    engine = province.stores.rekeying._engine  # type: ignore[attr-defined]
    with engine.begin() as connection:
        found = connection.execute(text(statement))
        return [tuple(row) for row in found] if found.returns_rows else []


def shown(province: Province, i: int) -> str:
    card = province.stores.accounts.card_of_document(*person(i)[:2])
    assert card is not None
    return card.card_id


def finds(province: Province, i: int, name: str | None = None) -> set[int]:
    """The versions whose id finds the person's card."""
    account = province.stores.accounts.card_of_document(*person(i)[:2])
    found = {version: province.find(card_id(i, version, name)) for version in (1, 2)}
    assert {card.account for card in found.values() if card} <= {account.account if account else None}
    return {version for version, card in found.items() if card is not None}


def test_before_the_flip_old_ids_are_shown_and_both_find_the_card(province: Province) -> None:
    province.begin()
    assert finds(province, 3) == {1}
    assert province.work() is Phase.READY
    for i in PEOPLE:
        assert shown(province, i) == card_id(i, 1)
        assert finds(province, i) == {1, 2}
    state = province.rekeyer.state()
    assert (state.wrong, state.differing, state.refused, state.due) == (0, 0, 0, 0)


def test_the_flip_shows_the_new_ids_of_all_and_old_ones_find_them(province: Province) -> None:
    province.begin()
    province.work()
    turn = province.stores.rekeying.turn()
    assert province.rekeyer.flip(NOW).phase is Phase.GRACE
    assert province.stores.rekeying.turn() != turn
    for i in PEOPLE:
        card = province.find(card_id(i, 1))
        assert card is not None
        assert (card.card_id, card.key_version) == (card_id(i, 2), 2)
        assert card.other == VersionedId(card_id(i, 1), 1)
        assert province.find(card_id(i, 2)) == card
    assert province.register(99).card_id == card_id(99, 2)


def test_retired_ids_find_nobody_from_the_first_moment_and_leave_nothing(province: Province) -> None:
    province.begin()
    province.work()
    province.rekeyer.flip(NOW)
    turn = province.stores.rekeying.turn()
    province.rekeyer.retire(NOW)
    assert province.stores.rekeying.turn() != turn
    assert all(finds(province, i) == {2} for i in PEOPLE)
    assert province.rekeyer.step(NOW)
    assert all(finds(province, i) == {2} for i in PEOPLE)  # half of them cleared
    assert province.work() is Phase.RETIRED
    assert all(finds(province, i) == {2} and shown(province, i) == card_id(i, 2) for i in PEOPLE)
    assert sql(province, "SELECT count(*) FROM rekeyed_cards") == [(0,)]
    assert sql(province, "SELECT DISTINCT key_version FROM accounts") == [(2,)]
    assert sql(province, "SELECT account, count(*) FROM card_keys GROUP BY account HAVING count(*) <> 1") == []


@pytest.mark.parametrize("phase", [Phase.BACKFILL, Phase.VERIFY, Phase.READY, Phase.GRACE])
def test_a_rollback_from_any_phase_leaves_the_province_as_it_was(province: Province, phase: Phase) -> None:
    province.begin()
    province.work(phase)
    if phase is Phase.GRACE:
        province.rekeyer.flip(NOW)
        province.register(50)  # made under the new version
    else:
        province.rekeyer.step(NOW)
    province.rekeyer.roll_back(NOW)
    people = [*PEOPLE, 50] if phase is Phase.GRACE else PEOPLE
    assert all(finds(province, i) == {1} for i in people)
    assert province.work() is Phase.ROLLED_BACK
    assert all(finds(province, i) == {1} and shown(province, i) == card_id(i, 1) for i in people)
    assert sql(province, "SELECT count(*) FROM rekeyed_cards") == [(0,)]
    assert sql(province, "SELECT DISTINCT key_version FROM accounts") == [(1,)]
    assert sql(province, "SELECT account, count(*) FROM card_keys GROUP BY account HAVING count(*) <> 1") == []


def test_after_a_rollback_it_may_begin_again(province: Province) -> None:
    province.begin()
    province.rekeyer.roll_back(NOW)
    province.work()
    province.begin()
    assert province.work() is Phase.READY
    assert province.rekeyer.state().number == 2


def test_whoever_registers_meanwhile_gets_both_ids_before_the_flip(province: Province) -> None:
    province.begin()
    province.rekeyer.step(NOW)
    assert province.register(30).card_id == card_id(30, 1)
    assert province.rekeyer.state().due == 1
    province.work()
    province.register_many(range(40, 60))
    province.stale().register(70)
    assert province.rekeyer.state().due == 21
    province.rekeyer.flip(NOW)
    assert all(finds(province, i) == {1, 2} and shown(province, i) == card_id(i, 2) for i in (30, *range(40, 60), 70))


def test_a_worker_that_has_not_heard_of_the_flip_makes_cards_that_work(province: Province) -> None:
    province.begin()
    province.work()
    province.rekeyer.flip(NOW)
    assert province.stale().register(80).card_id == card_id(80, 1)
    province.work()
    assert (finds(province, 80), shown(province, 80)) == ({1, 2}, card_id(80, 2))
    province.rekeyer.retire(NOW)
    assert province.stale().register(81).card_id == card_id(81, 1)
    province.work()
    assert (finds(province, 81), shown(province, 81)) == ({2}, card_id(81, 2))


@pytest.mark.parametrize("phase", [Phase.BACKFILL, Phase.READY, Phase.GRACE])
def test_who_is_renamed_meanwhile_is_found_by_every_id_there_was(province: Province, phase: Phase) -> None:
    early = province.stale().rename(province.register(3), "测试")
    assert early.card_id == card_id(3, 1, "测试")
    province.begin()
    province.work() if phase is not Phase.BACKFILL else province.rekeyer.step(NOW)
    if phase is Phase.GRACE:
        province.rekeyer.flip(NOW)
    late = province.rename(province.register(5), "测试")
    assert late.card_id == card_id(5, 2 if phase is Phase.GRACE else 1, "测试")
    province.work()
    if phase is not Phase.GRACE:
        province.rekeyer.flip(NOW)
    assert finds(province, 3) == {1}
    assert finds(province, 3, "测试") == finds(province, 5, "测试") == {1, 2}
    assert finds(province, 5) == {1, 2}
    province.rekeyer.retire(NOW)
    for _ in range(2):  # at once, and when all is cleared
        assert finds(province, 3) == set()
        assert finds(province, 3, "测试") == finds(province, 5, "测试") == finds(province, 5) == {2}
        province.work()


def test_an_id_of_elsewhere_finds_the_card_after_its_own_was_retired(province: Province) -> None:
    card = province.register(4)
    province.stores.accounts.add_alias(card.account, LEGACY, NOW)
    province.begin()
    province.work()
    province.rekeyer.flip(NOW)
    province.rekeyer.retire(NOW)
    province.work()
    found = province.find(LEGACY)
    assert found is not None
    assert (found.account, found.card_id) == (card.account, card_id(4, 2))


def test_temporary_cards_and_children_are_re_keyed_too(province: Province) -> None:
    guardian = province.register(1)
    temporary = province.stale().registrar.register_temporary("测试", None, NOW).card
    child = province.stale().registrar.register_child(guardian, "测试", date(2020, 1, 2), 1, NOW).card
    province.begin()
    province.work()
    province.rekeyer.flip(NOW)
    for old in (temporary, child):
        assert old is not None
        found = province.find(old.card_id)
        assert found is not None
        assert (found.account, found.key_version, found.kind, found.person) == (old.account, 2, old.kind, old.person)
        assert found.card_id != old.card_id
    assert [one.key_version for one in province.stores.accounts.children(guardian.account)] == [2]


def test_cards_that_have_ids_of_the_new_version_already_keep_them(province: Province) -> None:
    for key in (60, 61):
        new = new_card(key)
        ours = replace(new.derived, card_id=card_id(key, 2), key_version=2)
        province.stores.accounts.register(replace(new, derived=ours), NOW)
    province.begin()
    province.work()
    assert finds(province, 60) == {2}
    assert shown(province, 60) == card_id(60, 2)
    province.rekeyer.flip(NOW)
    province.rekeyer.retire(NOW)
    province.work()
    assert (finds(province, 60), shown(province, 60)) == ({2}, card_id(60, 2))


def test_paused_work_stands_still_and_goes_on(province: Province) -> None:
    province.begin()
    province.rekeyer.step(NOW)
    done = pause(province.stores.rekeying, paused=True).done
    assert not province.rekeyer.step(NOW)
    assert province.rekeyer.state().done == done > 0
    pause(province.stores.rekeying, paused=False)
    assert province.work() is Phase.READY


def test_progress_has_a_rate_and_a_forecast(province: Province) -> None:
    province.begin()
    assert province.rekeyer.state().seconds_left is None
    province.rekeyer.step(NOW)
    state = province.rekeyer.state()
    assert (state.total, state.done) == (len(PEOPLE), province.most // 2)  # keys are a second pass
    assert state.rate > 0
    assert state.seconds_left is not None
    assert state.seconds_left > 0
    assert province.work() is Phase.READY
    assert province.rekeyer.state().seconds_left is None


def test_what_is_found_wrong_is_made_again_and_verified_again(province: Province) -> None:
    province.begin()
    province.work(Phase.VERIFY)
    sql(province, "DELETE FROM rekeyed_cards WHERE account = (SELECT min(account) FROM accounts)")
    sql(province, "DELETE FROM card_keys WHERE account = (SELECT max(account) FROM accounts)")
    province.rekeyer.step(NOW)
    assert province.work() is Phase.READY
    assert all(2 in finds(province, i) for i in PEOPLE)
    assert province.rekeyer.state().wrong == 0


def test_a_stored_id_that_its_version_does_not_give_is_counted(province: Province) -> None:
    sql(province, "UPDATE accounts SET name = '别人' WHERE account = (SELECT min(account) FROM accounts)")
    province.begin()
    province.work(Phase.VERIFY)
    assert province.rekeyer.state().differing == 1


def test_a_document_that_gives_no_id_keeps_the_one_it_has(province: Province) -> None:
    sql(province, "UPDATE accounts SET id_number = '' WHERE account = (SELECT min(account) FROM accounts)")
    province.begin()
    assert province.work() is Phase.READY
    assert province.rekeyer.state().refused == 1
    province.rekeyer.flip(NOW)
    province.rekeyer.retire(NOW)
    province.work()
    assert sql(province, "SELECT count(*) FROM accounts WHERE key_version = 1") == [(1,)]


def test_only_one_is_open_and_only_to_a_later_version_that_is_there(province: Province) -> None:
    with pytest.raises(NotFound):
        province.rekeyer.state()
    with pytest.raises(KeyUnavailable):
        province.rekeyer.begin(1, 250, NOW)
    with pytest.raises(Conflict, match="later"):
        province.rekeyer.begin(2, 1, NOW)
    province.begin()
    with pytest.raises(Conflict, match="open"):
        province.begin()


def test_what_a_phase_does_not_allow_is_said(province: Province) -> None:
    province.begin()
    with pytest.raises(Conflict, match="phase backfill: the new ids are not all verified"):
        province.rekeyer.flip(NOW)
    with pytest.raises(Conflict, match="after the flip"):
        province.rekeyer.retire(NOW)
    province.work()
    province.rekeyer.flip(NOW)
    province.rekeyer.retire(NOW)
    with pytest.raises(Conflict, match="no way back"):
        province.rekeyer.roll_back(NOW)
    province.work()
    with pytest.raises(Conflict, match="no way back"):
        province.rekeyer.roll_back(NOW)
    with pytest.raises(Conflict, match="no re-keying is open"):
        pause(province.stores.rekeying, paused=True)


def test_two_that_run_at_once_share_the_work(province: Province) -> None:
    province.stale().register_many(range(100, 400))
    province.begin()
    jobs = [threading.Thread(target=province.work) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert province.rekeyer.state().phase is Phase.READY
    assert all(finds(province, i) == {1, 2} for i in (*PEOPLE, *range(100, 400, 7)))


def test_minimal_padding_gives_short_ids_to_short_documents(province: Province) -> None:
    minimal, passport = replace(province, padding="minimal"), ("03", "E00000000", "TEST PERSON")
    old, new = (derive_batch([passport], key_of(version), padding="minimal").hex().card_id[0] for version in (1, 2))
    card = minimal.stale().registrar.register(Identity(*passport), NOW).card
    assert card is not None
    assert card.card_id == old
    assert len(old) == 32
    minimal.begin()
    minimal.work()
    minimal.rekeyer.flip(NOW)
    found = province.find(old)
    assert found is not None
    assert found.card_id == new
    assert province.find(new) == found
