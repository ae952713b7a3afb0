"""Cards that are registered, singly and in batches, become records of the index, each once, whoever is killed."""

import os
import signal
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from index_rooms import Room, make_room
from invented_cards import columns, new_card, person
from store_factories import FACTORIES, in_process

from ehc.cards.account import Change, EventKind
from ehc.index.following import MOST, SETTLED, TURN, Follower
from ehc.model import AccountState
from ehc.wiring.stores import Stores

NOW = 10_000
MANY = MOST + 60


def follower(stores: Stores) -> tuple[Room, Follower]:
    room = make_room(stores, domains=False)
    return room, Follower(stores.index, room.book, room.loader, stores.card_feed)


def follow(stores: Stores, now: int) -> Room:
    room, following = follower(stores)
    while following.step(now):
        pass
    return room


def accounts_in(room: Room) -> list[str]:
    return sorted(one.body.local_id for one in room.store.page(0, 10_000).rows)


def test_single_cards_and_batches_are_records_of_their_persons(stores: Stores) -> None:
    known = {"phone": "13800000001", "address": "人民路1号"}
    one = stores.accounts.register(replace(new_card(1), details=known), NOW, "desk")
    many = stores.accounts.register_columns(columns(range(2, MANY)), NOW + 1)
    room = follow(stores, NOW + 2)
    _, number, name = person(1)
    [found] = room.finder.by_identifier("resident-id", number)
    assert (found.value("name"), found.value("phone")) == (name, known["phone"])
    assert found.value("birth_date").replace("-", "") == number[6:14]
    assert one.card is not None
    assert {(i.domain, i.value) for i in found.identifiers} >= {
        ("account", str(one.account)),
        ("card-id", one.card.card_id),
        ("mindex", one.card.mindex.hex().upper()),
    }
    assert accounts_in(room) == sorted(map(str, [one.account, *many.account.tolist()]))


def test_following_again_changes_nothing_and_one_process_has_the_turn(
    stores: Stores, factory: str, tmp_path: Path
) -> None:
    stores.accounts.register(new_card(1), NOW)
    room = follow(stores, NOW + 1)
    events = room.store.events(0, 100)
    another = FACTORIES[factory](tmp_path)
    _, waiting = follower(another)
    stores.accounts.register(new_card(2), NOW + 2)
    assert waiting.step(NOW + 2) == 0  # the first one has the turn
    assert waiting.step(NOW + 1 + TURN) == 2  # and has not come again: both cards are looked at, one is new
    assert waiting.step(NOW + 1 + TURN) == 0
    assert room.store.events(0, 100)[: len(events)] == events
    assert len(accounts_in(room)) == 2
    another.close()


def test_what_is_committed_late_is_seen(stores: Stores) -> None:
    room, following = follower(stores)
    stores.accounts.register(new_card(1), NOW)
    assert following.step(NOW) == 1
    stores.accounts.register(new_card(2), NOW - SETTLED + 5)  # begun before the other one
    assert following.step(NOW + 1) == 1
    assert len(accounts_in(room)) == 2


def test_a_change_of_a_card_is_an_update_of_its_record(stores: Stores) -> None:
    card = stores.accounts.register(new_card(1), NOW)
    room = follow(stores, NOW)
    change = Change(EventKind.MODIFIED, frozenset({AccountState.NORMAL}), details={"phone": "13800000009"})
    stores.accounts.apply(card.account, change, NOW + 5)
    room = follow(stores, NOW + 6)
    [found] = room.finder.by_identifier("account", str(card.account))
    assert found.value("phone") == "13800000009"
    assert len(found.records) == 1


def _follow_for_ever(stores: Stores) -> None:
    _, following = follower(stores)
    while True:
        following.step(NOW + 2)


def test_whoever_follows_may_be_killed_at_any_moment(tmp_path: Path) -> None:
    stores = FACTORIES["sqlite"](tmp_path)
    many = stores.accounts.register_columns(columns(range(MANY)), NOW)
    process = get_context("spawn").Process(target=in_process, args=(_follow_for_ever, "sqlite", str(tmp_path)))
    process.start()
    room, following = follower(stores)
    while not room.store.events(0, 1):
        time.sleep(0.01)
        assert process.is_alive()
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    while following.step(NOW + 3 + TURN):
        pass
    assert accounts_in(room) == sorted(map(str, many.account.tolist()))
    stores.close()
