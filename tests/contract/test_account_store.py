"""cards.account.AccountStore, over every implementation."""

from dataclasses import replace

import pytest
from invented_cards import columns, new_card

from ehc.cards.account import AccountStore, Change, EventKind, NewCard, Outcome, Registered
from ehc.errors import Conflict, InputError, NotFound
from ehc.model import AccountState, Card, CardKind, Identity, PersonKind
from ehc.wiring.stores import Stores

NOW = 1_700_000_000
ANY = frozenset(AccountState)
LEGACY = "0123456789ABCDEF" * 3  # 48 digits, of the 3DES era


@pytest.fixture
def store(stores: Stores) -> AccountStore:
    return stores.accounts


def registered(store: AccountStore, i: int = 0, **options: object) -> Card:
    found = store.register(replace(new_card(i), **options), NOW)  # type: ignore[arg-type]
    assert found.card is not None
    return found.card


def set_state(store: AccountStore, card: Card, state: AccountState, event: EventKind = EventKind.CANCELLED) -> Card:
    return store.apply(card.account, Change(event, ANY, state=state), NOW + 1)


def kinds(store: AccountStore, account: int) -> list[str]:
    return [event.kind.value for event in store.history(account)]


# --- registering


def test_a_new_account_holds_what_was_registered_and_everything_finds_it(store: AccountStore) -> None:
    new = new_card(0)
    found = store.register(new, NOW, "hospital")
    card, derived = found.card, new.derived
    assert card == Card(found.account, derived.identity, derived.mindex, derived.card_id, 1, AccountState.NORMAL, NOW)
    assert found.outcome is Outcome.CREATED
    assert store.card(derived.card_id) == card
    assert store.card_of_account(found.account) == card
    assert store.cards_of_accounts([found.account, 12345]) == {found.account: card}
    assert store.card_of_mindex(derived.mindex) == card
    assert store.card_of_document(derived.identity.id_type, derived.identity.id_number) == card


def test_what_nobody_registered_is_none(store: AccountStore) -> None:
    registered(store)
    other = new_card(1).derived
    assert store.card(other.card_id) is None
    assert store.card("ABC") is None
    assert store.card_of_account(12345) is None
    assert store.cards_of_accounts([12345]) == store.cards_of_accounts([]) == {}
    assert store.card_of_mindex(other.mindex) is None
    assert store.card_of_document("03", "E1") is None


def test_the_same_document_again_is_the_card_that_is_there(store: AccountStore) -> None:
    first = registered(store)
    newer = replace(new_card(0).derived, key_version=2, card_id="AB" * 32)
    assert store.register(NewCard(newer), NOW + 9) == Registered(Outcome.EXISTING, first.account, first)
    assert kinds(store, first.account) == ["registered"]


def test_the_same_document_under_another_name_is_told_and_nothing_is_done(store: AccountStore) -> None:
    first = registered(store)
    derived = new_card(0).derived
    other = replace(derived, identity=replace(derived.identity, name="另外"), mindex=b"m" * 32, card_id="CD" * 32)
    assert store.register(NewCard(other), NOW) == Registered(Outcome.OTHER_NAME, first.account, None)
    assert store.card("CD" * 32) is None
    assert store.card_of_account(first.account) == first


def test_a_cancelled_account_is_restored_by_registering_again(store: AccountStore) -> None:
    first = registered(store)
    assert set_state(store, first, AccountState.CANCELLED).state is AccountState.CANCELLED
    assert store.register(new_card(0), NOW + 2) == Registered(Outcome.RESTORED, first.account, first)
    assert kinds(store, first.account) == ["registered", "cancelled", "restored"]


@pytest.mark.parametrize("state", sorted(set(AccountState) - {AccountState.CANCELLED, AccountState.NORMAL}))
def test_no_other_state_is_lifted_by_registering_again(store: AccountStore, state: AccountState) -> None:
    card = set_state(store, registered(store), state, EventKind.SUSPENDED)
    assert store.register(new_card(0), NOW + 2) == Registered(Outcome.EXISTING, card.account, card)


def test_a_child_has_a_guardian_a_deadline_and_a_place_among_its_siblings(store: AccountStore) -> None:
    guardian = registered(store)
    child = registered(store, 1, kind=CardKind.TEMPORARY, deadline=NOW + 99, guardian=guardian.account, birth_order=2)
    assert (child.kind, child.person, child.deadline) == (CardKind.TEMPORARY, PersonKind.CHILD, NOW + 99)
    assert (child.guardian, child.birth_order) == (guardian.account, 2)
    assert list(store.children(guardian.account)) == [child]
    assert list(store.children(child.account)) == []


def test_details_are_kept_changed_and_deleted(store: AccountStore) -> None:
    card = registered(store, details={"phone": "10000000000", "sex": "1"})
    assert store.details(card.account) == {"phone": "10000000000", "sex": "1"}
    store.apply(card.account, Change(EventKind.MODIFIED, ANY, details={"sex": "", "ethnicity": "01"}), NOW)
    assert store.details(card.account) == {"phone": "10000000000", "ethnicity": "01"}


def test_a_card_id_of_another_account_is_a_conflict_and_changes_nothing(store: AccountStore) -> None:
    first = registered(store)
    other = replace(new_card(1).derived, card_id=first.card_id)
    with pytest.raises(Conflict):
        store.register(NewCard(other), NOW)
    assert store.card(first.card_id) == first
    assert store.card_of_mindex(other.mindex) is None


def test_a_card_id_of_half_a_byte_is_refused(store: AccountStore) -> None:
    with pytest.raises(InputError, match="even number"):
        store.register(NewCard(replace(new_card(0).derived, card_id="ABC")), NOW)


# --- batches


def test_a_batch_answers_row_for_row(store: AccountStore) -> None:
    known = registered(store, 3)
    gone = set_state(store, registered(store, 4), AccountState.CANCELLED)
    renamed = replace(new_card(3).derived, identity=replace(new_card(3).derived.identity, name="另外"))
    found = store.register_batch([new_card(5), new_card(3), new_card(5), new_card(4), NewCard(renamed)], NOW)
    assert [one.outcome.value for one in found] == ["created", "existing", "existing", "restored", "other_name"]
    assert [one.account for one in found[1:]] == [known.account, found[0].account, gone.account, known.account]


@pytest.mark.parametrize("rows", [20, 1_200])
def test_columns_answer_row_for_row(store: AccountStore, rows: int) -> None:
    """20 rows go into the tables one way, 1,200 another."""
    known, gone = registered(store, 3), set_state(store, registered(store, 4), AccountState.CANCELLED)
    people = [*range(rows), 7, 3]
    found = store.register_columns(columns(people), NOW + 5, "hospital")
    assert {row: one.outcome.value for row, one in found.others.items()} == {
        3: "existing",
        4: "restored",
        rows: "existing",
        rows + 1: "existing",
    }
    assert found.account[[3, 4, rows, rows + 1]].tolist() == [
        known.account, gone.account, found.account[7], known.account,
    ]  # fmt: skip
    assert len(set(found.account.tolist())) == rows
    for i in (0, 7, rows - 1):
        derived, account = new_card(i).derived, int(found.account[i])
        card = store.card(derived.card_id)
        assert card == Card(account, derived.identity, derived.mindex, derived.card_id, 1, AccountState.NORMAL, NOW + 5)
        assert store.card_of_mindex(derived.mindex) == store.card_of_account(account) == card
        assert store.card_of_document(derived.identity.id_type, derived.identity.id_number) == card
        [event] = store.history(account)
        assert (event.kind, event.at, event.by, event.state_before) == (EventKind.REGISTERED, NOW + 5, "hospital", None)
    assert kinds(store, gone.account) == ["registered", "cancelled", "restored"]


def test_columns_twice_change_nothing_the_second_time(store: AccountStore) -> None:
    first = store.register_columns(columns(range(600)), NOW)
    again = store.register_columns(columns(range(600)), NOW + 1)
    assert again.account.tolist() == first.account.tolist()
    assert {one.outcome for one in again.others.values()} == {Outcome.EXISTING}
    assert len(again.others) == 600


def test_columns_with_another_name_are_told(store: AccountStore) -> None:
    store.register_columns(columns(range(600)), NOW)
    batch = columns(range(3))
    found = store.register_columns(replace(batch, name=["另外", *batch.name[1:]]), NOW)
    assert found.others[0] == Registered(Outcome.OTHER_NAME, int(found.account[0]), None)
    assert [found.others[row].outcome for row in (1, 2)] == [Outcome.EXISTING] * 2


def test_columns_of_short_card_ids_and_odd_documents_fit(store: AccountStore) -> None:
    batch = columns(range(600), padding="minimal", passports=True)
    found = store.register_columns(batch, NOW)
    assert set(batch.card_id_lengths.tolist()) == {16, 32}
    for row in (0, 1, 2, 599):
        digits = batch.card_id[row, : batch.card_id_lengths[row]].tobytes().hex().upper()
        card = store.card(digits)
        assert card is not None
        assert (card.account, card.card_id) == (found.account[row], digits)
        assert card.identity.id_number == batch.id_number[row]


def test_an_account_of_a_batch_lives_on_like_any_other(store: AccountStore) -> None:
    account = int(store.register_columns(columns(range(600)), NOW).account[9])
    derived = replace(new_card(9).derived, mindex=b"m" * 32, card_id="CD" * 32)
    changed = store.apply(account, Change(EventKind.RENAMED, ANY, derived=derived), NOW + 1)
    assert store.card(new_card(9).derived.card_id) == store.card("CD" * 32) == changed
    assert kinds(store, account) == ["registered", "renamed"]


def test_an_empty_batch_is_no_work(store: AccountStore) -> None:
    assert list(store.register_batch([], NOW)) == []
    assert len(store.register_columns(columns([]), NOW).account) == 0


# --- changes


def test_a_change_is_whole_with_its_event(store: AccountStore) -> None:
    card = registered(store)
    change = Change(
        EventKind.SUSPENDED, frozenset({AccountState.NORMAL}), "operator", "lost", state=AccountState.SUSPENDED,
        codes_from=NOW, deadline=NOW + 5, kind=CardKind.TEMPORARY, guardian=77, merged_into=78,
    )  # fmt: skip
    changed = store.apply(card.account, change, NOW + 1)
    assert changed == store.card_of_account(card.account) == replace(
        card, state=AccountState.SUSPENDED, codes_from=NOW, deadline=NOW + 5, kind=CardKind.TEMPORARY, guardian=77,
        merged_into=78,
    )  # fmt: skip
    event = list(store.history(card.account))[-1]
    assert (event.at, event.by, event.note) == (NOW + 1, "operator", "lost")
    assert (event.state_before, event.state_after) == (AccountState.NORMAL, AccountState.SUSPENDED)


def test_a_change_that_the_state_does_not_allow_is_a_conflict_and_leaves_no_event(store: AccountStore) -> None:
    card = registered(store)
    with pytest.raises(Conflict):
        store.apply(card.account, Change(EventKind.RESUMED, frozenset({AccountState.SUSPENDED})), NOW)
    assert store.card_of_account(card.account) == card
    assert kinds(store, card.account) == ["registered"]


def test_a_change_of_nobody_is_not_found(store: AccountStore) -> None:
    with pytest.raises(NotFound):
        store.apply(12345, Change(EventKind.MODIFIED, ANY), NOW)


def test_a_new_name_keeps_the_account_and_the_old_card_finds_it(store: AccountStore) -> None:
    card = registered(store)
    derived = replace(
        new_card(0).derived, identity=replace(card.identity, name="另外"), mindex=b"m" * 32, card_id="CD" * 32
    )
    changed = store.apply(card.account, Change(EventKind.RENAMED, ANY, derived=derived), NOW + 1)
    assert (changed.account, changed.identity.name, changed.card_id) == (card.account, "另外", "CD" * 32)
    for found in (store.card(card.card_id), store.card("CD" * 32), store.card_of_mindex(card.mindex)):
        assert found == changed
    assert store.card_of_document(card.identity.id_type, card.identity.id_number) == changed


def test_a_name_changed_and_changed_back_is_found_by_both_cards(store: AccountStore) -> None:
    card, back = registered(store), new_card(0).derived
    other = replace(back, identity=replace(back.identity, name="另外"), mindex=b"m" * 32, card_id="CD" * 32)
    for derived in (other, back):
        changed = store.apply(card.account, Change(EventKind.RENAMED, ANY, derived=derived), NOW)
    assert changed == card == store.card("CD" * 32) == store.card(card.card_id)


def test_an_exchanged_document_still_finds_the_account_and_cannot_be_registered_again(store: AccountStore) -> None:
    child = registered(store, guardian=7)
    own = new_card(1).derived
    changed = store.apply(child.account, Change(EventKind.EXCHANGED, ANY, derived=own, guardian=0), NOW)
    assert (changed.identity, changed.person, changed.guardian) == (own.identity, PersonKind.ORDINARY, None)
    for number in (child.identity, own.identity):
        assert store.card_of_document(number.id_type, number.id_number) == changed
    assert store.register(new_card(0), NOW).account == child.account
    assert store.register_columns(columns([0, 1]), NOW).account.tolist() == [child.account] * 2


def test_a_document_of_another_account_is_a_conflict(store: AccountStore) -> None:
    card, other = registered(store, 0), registered(store, 1)
    derived = replace(new_card(1).derived, mindex=b"m" * 32, card_id="CD" * 32)
    with pytest.raises(Conflict, match="document"):
        store.apply(card.account, Change(EventKind.EXCHANGED, ANY, derived=derived), NOW)
    assert store.card_of_account(card.account) == card
    assert store.card("CD" * 32) is None
    assert store.card_of_document("01", other.identity.id_number) == other


@pytest.mark.parametrize("digits", [LEGACY, "F" * 128, "12345"])
def test_a_legacy_card_id_finds_the_account(store: AccountStore, digits: str) -> None:
    card = registered(store)
    store.add_alias(card.account, digits, NOW)
    store.add_alias(card.account, digits, NOW)
    assert store.card(digits) == card
    assert store.card(digits[:-1] + "A") is None


def test_a_legacy_card_id_of_another_account_or_of_nobody_is_refused(store: AccountStore) -> None:
    card, other = registered(store, 0), registered(store, 1)
    store.add_alias(card.account, LEGACY, NOW)
    for taken in (LEGACY, card.card_id):
        with pytest.raises(Conflict):
            store.add_alias(other.account, taken, NOW)
    with pytest.raises(NotFound):
        store.add_alias(12345, LEGACY, NOW)
    assert store.card(LEGACY) == card


def test_family_is_kept_changed_and_ended(store: AccountStore) -> None:
    card, child, mother = (registered(store, i).account for i in range(3))
    store.set_family(card, mother, "6", NOW)
    store.set_family(card, child, "2", NOW)
    store.set_family(card, child, "3", NOW)
    assert sorted(store.family(card)) == sorted([(child, "3"), (mother, "6")])
    store.set_family(card, mother, None, NOW)
    assert list(store.family(card)) == [(child, "3")]
    assert list(store.family(child)) == []
    for pair in ((card, 12345), (12345, card)):
        with pytest.raises(NotFound):
            store.set_family(*pair, "2", NOW)


def test_documents_whose_short_keys_are_alike_are_two_documents(store: AccountStore) -> None:
    """The key of a resident id is its first 17 digits: with a wrong check character two share one."""
    one = replace(new_card(0).derived, identity=Identity("01", "110100201712250060", "甲"))
    other = replace(new_card(1).derived, identity=Identity("01", "110100201712250061", "乙"))
    first, second = store.register(NewCard(one), NOW), store.register(NewCard(other), NOW)
    assert first.account != second.account
    assert store.card_of_document("01", "110100201712250060") == first.card
    assert store.card_of_document("01", "110100201712250061") == second.card
    batch = columns(range(10, 610))
    numbers = ["110100201712250062", "110100201712250063", *batch.id_number[2:]]
    found = store.register_columns(replace(batch, id_number=numbers, id_type=["01"] * 600), NOW)
    assert len(set(found.account.tolist()) | {first.account, second.account}) == 602
    for row in (0, 1):
        card = store.card_of_document("01", numbers[row])
        assert card is not None
        assert card.account == found.account[row]


def test_an_open_store_is_ready(store: AccountStore) -> None:
    store.ready()
