"""The master index in both databases: what is stored is what its events come to, as of now and as of any moment."""

from pathlib import Path

import pytest
from index_rooms import SAMPLE, Room, act, make_room
from sqlalchemy import Engine, exc, text
from store_factories import in_process

from ehc.errors import Conflict, Forbidden, InputError, NotFound
from ehc.index.domain import new_domain, visit_card
from ehc.index.history import Kind, replay
from ehc.index.keys import identifier_key
from ehc.index.review import CLAIM_SECONDS, Matter, ReviewAnswer
from ehc.store.database import migrate, open_engine
from ehc.wiring.stores import Stores


@pytest.fixture
def room(stores: Stores) -> Room:
    return make_room(stores)


def test_a_domain_is_registered_once(room: Room) -> None:
    new = room.master.add_domain(visit_card("H9", "九院", 7))
    assert room.finder.domain("visit-card/H9") == new
    with pytest.raises(Conflict, match="visit-card/H9"):
        room.master.add_domain(visit_card("H9", "九院", 8))
    with pytest.raises(Conflict):
        room.store.add_domain(new_domain("other", "别的", "他", new.system))
    with pytest.raises(Conflict):
        room.master.add_domain(new_domain("passport", "护照", "他"))


def test_another_process_s_domain_is_known_at_once(room: Room) -> None:
    room.finder.domains()
    room.store.add_domain(visit_card("H8", "八院", 7))
    assert room.finder.domain("visit-card/H8").name == "八院就诊卡"


def test_a_second_record_with_the_same_sound_number_is_the_same_person(room: Room) -> None:
    first = room.put("H1", "1", id_number=SAMPLE)
    second = room.put("H2", "77", id_number=SAMPLE.lower())
    assert (first.outcome, second.outcome, second.person) == ("new", "linked", first.person)
    assert second.reason == "strong:resident-id"
    [person] = room.finder.by_identifier("visit-card/H2", "77")
    assert {(one.domain, one.value) for one in person.identifiers} >= {
        ("visit-card/H1", "1"),
        ("visit-card/H2", "77"),
        ("resident-id", SAMPLE),
        ("mindex", "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E"),  # domain.md, published
    }


def test_one_number_finds_all_records_of_whoever_has_it(room: Room) -> None:
    one = room.put("H1", "1", name="王建国", id_number=SAMPLE)
    room.put("H1", "2", name="李秀英", phone="13800000002")
    other = room.put("H2", "3", name="赵敏", phone="13800000003")
    key = identifier_key("visit-card/H2", "3")
    assert [*room.store.having([key])] == [other.person]
    room.master.merge(one.person, other.person, act(20))
    found = room.store.having([key, identifier_key("resident-id", SAMPLE)])
    assert found == {one.person: room.store.cluster(one.person)}
    assert [body.record for body in found[one.person]] == [one.record, other.record]
    assert room.store.having([key + 1]) == room.store.having([]) == {}


def test_the_same_again_changes_nothing(room: Room) -> None:
    room.put("H1", "1", id_number=SAMPLE)
    before = room.store.events(0, 100)
    assert room.put("H1", "1", now=99, id_number=SAMPLE).outcome == "unchanged"
    assert room.store.events(0, 100) == before


def test_a_former_number_and_a_former_mindex_find_the_person(room: Room) -> None:
    first = room.put("H1", "1", id_number=SAMPLE)
    old = next(one.value for one in room.finder.person(first.person).identifiers if one.domain == "mindex")
    room.put("H1", "1", now=50, name="电子健康咔", id_number=SAMPLE)
    [person] = room.finder.by_identifier("mindex", old)
    ended = {one.value: one.until for one in person.identifiers if one.domain == "mindex"}
    assert ended[old] == 50
    assert sorted(map(str, ended.values())) == ["50", "None"]


def test_an_unsound_number_proves_nothing(room: Room) -> None:
    room.put("H1", "1", name="王建国", id_number=SAMPLE)
    wrong = room.put("H2", "2", name="李秀英", id_number=SAMPLE[:-1] + "1")
    assert wrong.outcome == "new"
    [person] = room.finder.by_identifier("visit-card/H2", "2")
    assert [one.sound for one in person.identifiers if one.domain == "resident-id"] == [False]


def test_merge_and_unmerge_come_back_to_the_very_same_state(room: Room) -> None:
    keys = [room.put("H1", str(i), name=f"王{c}", phone="1380000000" + str(i)).person for i, c in enumerate("甲乙丙丁")]
    room.master.merge(keys[1], keys[2], act(20))
    before = room.state()
    seen = room.finder.person(keys[0])
    room.master.merge(keys[0], keys[2], act(30))
    assert room.finder.person(keys[1]).key == keys[0]
    room.master.unmerge(keys[1], act(40))
    after = room.state()
    assert (after.bodies, after.persons, after.into) == (before.bodies, before.persons, before.into)
    assert room.finder.person(keys[0]) == seen
    assert after.apart - before.apart == {(keys[0], keys[1])}


def test_what_is_stored_is_the_fold_of_its_events(room: Room) -> None:
    a, b, c = (room.put("H1", str(i), name=f"赵{x}", phone=f"1390000000{i}") for i, x in enumerate("甲乙丙"))
    room.master.merge(a.person, b.person, act(20))
    room.master.link(c.record, a.person, act(21))
    room.master.unlink(b.record, act(22))
    room.put("H1", "0", now=23, name="赵甲", phone="13900000009")
    state = replay(room.store.events(0, 1000))
    for stored in room.store.page(0, 100).rows:
        assert state.bodies[stored.record] == stored.body
        assert state.persons[stored.record] == stored.person
        assert state.root(stored.person) == stored.root
        assert [one.record for one in room.store.cluster(stored.root)] == state.records(stored.root)


def test_a_person_is_shown_as_it_was_at_any_moment(room: Room) -> None:
    one, two = room.put("H1", "1", now=10, name="钱一"), room.put("H1", "2", now=11, name="钱二")
    room.master.merge(one.person, two.person, act(20))
    room.put("H1", "1", now=30, name="钱壹")
    room.master.unmerge(two.person, act(40))

    def names(moment: int) -> tuple[int, list[str]]:
        person = room.finder.person_at(two.person, moment)
        return person.key, [stored.body.name for stored in person.records]

    assert names(11) == (two.person, ["钱二"])
    assert names(25) == (one.person, ["钱一", "钱二"])
    assert names(35) == (one.person, ["钱壹", "钱二"])
    assert names(45) == (two.person, ["钱二"])
    with pytest.raises(NotFound):
        room.finder.person_at(two.person, 10)


def test_contradicting_numbers_never_merge_by_a_rule(room: Room) -> None:
    one = room.put("H1", "1", id_number=SAMPLE, passport="E12345678")
    two = room.put("H1", "2", id_number="110100201712250158", passport="E12345678")
    assert two.outcome == "new"
    assert two.person != one.person
    [task] = [room.reviewing.find(number) for number in two.reviews]
    assert (task.matter, task.reason) == (Matter.PAIR, "contradiction:resident-id")


def test_an_update_of_too_many_strong_fields_is_held_until_two_readers_agree(room: Room) -> None:
    first = room.put("H1", "1", name="孙一", birth_date="1990-01-01", sex="1")
    held = room.put("H1", "1", now=20, name="吴大海", birth_date="1960-05-05", sex="1")
    assert (held.outcome, held.reason) == ("held", "changes name, birth_date")
    assert room.finder.person(first.person).value("name") == "孙一"
    room.decide(held.reviews[0], ReviewAnswer.SAME, "li.na", 30)
    assert room.finder.person(first.person).value("name") == "孙一"
    room.decide(held.reviews[0], ReviewAnswer.SAME, "wang.wei", 31)
    assert room.finder.person(first.person).value("name") == "吴大海"


def test_readers_one_after_another_and_never_one_twice(room: Room) -> None:
    one = room.put("H1", "1", name="周海", birth_date="1990-01-01", phone="13800000001")
    two = room.put("H2", "1", name="周海", birth_date="1990-01-02", phone="13800000001")
    [number] = two.reviews
    room.reviewing.claim(number, "li.na", 20)
    with pytest.raises(Conflict, match="another reader"):
        room.reviewing.claim(number, "wang.wei", 21)
    with pytest.raises(Conflict, match="another reader"):
        room.reviewing.decide(number, ReviewAnswer.SAME, act(22, "wang.wei"))
    with pytest.raises(Conflict, match="claim this task"):
        room.reviewing.decide(number, ReviewAnswer.SAME, act(20 + CLAIM_SECONDS, "wang.wei"))
    room.reviewing.decide(number, ReviewAnswer.SAME, act(22, "li.na"))
    with pytest.raises(Forbidden):
        room.reviewing.claim(number, "li.na", 23)
    room.decide(number, ReviewAnswer.DIFFERENT, "wang.wei", 24)
    assert room.reviewing.find(number).closed_at is None
    room.decide(number, ReviewAnswer.SAME, "zhao.min", 25)
    closed = room.reviewing.find(number)
    assert (closed.answer, closed.closed_at, len(closed.votes)) == (ReviewAnswer.SAME, 25, 3)
    assert room.finder.person(two.person).key == one.person
    with pytest.raises(Conflict, match="decided already"):
        room.reviewing.claim(number, "qian.qi", 26)
    assert [task.number for task in room.reviewing.queue(closed=True)] == [number]
    assert room.reviewing.queue() == []


def test_whom_people_kept_apart_no_rule_merges(room: Room) -> None:
    one = room.put("H1", "1", name="郑和", birth_date="1990-01-01", sex="1")
    two = room.put("H2", "1", name="郑禾", birth_date="1991-02-02", sex="1")
    room.master.merge(one.person, two.person, act(20))
    room.master.unmerge(two.person, act(21))
    for source, now in (("H1", 30), ("H2", 31)):
        placed = room.put(source, "1", now=now, name="郑和", birth_date="1990-01-01", sex="1", passport="E87654321")
    assert placed.outcome in ("updated", "held")
    assert room.finder.person(two.person).key == two.person
    room.master.merge(one.person, two.person, act(40))  # people may
    assert room.finder.person(two.person).key == one.person


def test_consumers_go_on_where_they_were(room: Room) -> None:
    room.put("H1", "1", name="冯一")
    room.put("H1", "2", name="冯二")
    events = room.store.events(0, 10)
    assert [one.kind for one in events] == [Kind.RECORDED, Kind.RECORDED]
    room.store.commit_offset("billing", events[0].number, 5)
    assert room.store.offset("billing") == events[0].number
    assert room.store.events(room.store.offset("billing"), 10) == events[1:]
    room.store.commit_offset("billing", 0, 6)  # never backwards
    assert (room.store.offset("billing"), room.store.offset("other")) == (events[0].number, 0)
    with pytest.raises(InputError, match="offset"):
        room.store.commit_offset("billing", events[-1].number + 1, 7)


def _engine(factory: str, folder: Path) -> Engine:
    url = (folder / "database.url").read_text() if factory == "postgres" else f"sqlite:///{folder / 'ehc.db'}"
    return open_engine(url)


def test_keys_of_an_older_release_are_made_anew(room: Room, factory: str, tmp_path: Path) -> None:
    room.put("H1", "1", id_number=SAMPLE, phone="13800000001")
    room.put("H1", "1", id_number=SAMPLE, phone="13800000002", passport="E12345678")
    room.put("H2", "2", name="王五", id_number="110100201712250158")
    engine = _engine(factory, tmp_path)
    keys = text("SELECT key, record FROM index_keys ORDER BY key, record")
    with engine.begin() as connection:
        before = connection.execute(keys).all()
        connection.execute(text("UPDATE index_keys SET key = key / 3"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0016'"))
    migrate(engine)
    with engine.begin() as connection:
        assert connection.execute(keys).all() == before
    engine.dispose()


def test_events_only_grow(room: Room, factory: str, tmp_path: Path) -> None:
    room.put("H1", "1", name="陈一")
    engine = _engine(factory, tmp_path)
    for statement in ("UPDATE index_events SET at = 2", "DELETE FROM index_events"):
        with pytest.raises(exc.DBAPIError, match=r"only grow|only ever"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


def test_a_block_of_records_comes_to_what_one_after_another_does(room: Room) -> None:
    records = [
        room.record("H1", "1", id_number=SAMPLE, phone="13800000001"),
        room.record("H1", "2", name="王五", id_number="110100201712250158"),
        room.record("H2", "9", id_number=SAMPLE),
        room.record("H2", "10", name="王五", id_number="110100201712250158", passport="E12345678"),
        room.record("H3", "1", name="王武", passport="E12345678"),
        room.record("H3", "2", id_number=SAMPLE, passport="E12345678"),  # one person's name, two persons' numbers
    ]
    done = room.load(records, 10)
    assert done == {"new": 2, "linked": 4}
    roots = [room.finder.by_identifier(one.source, one.local_id)[0].key for one in records]
    assert roots == [roots[0], roots[1], roots[0], roots[1], roots[1], roots[0]]
    assert roots[0] != roots[1]
    assert {task.reason for task in room.reviewing.queue()} >= {"contradiction:resident-id"}
    assert room.load(records, 11) == {"unchanged": 6}


def _put_many(stores: Stores, worker: int) -> list[int]:
    return _put_many_in(make_room(stores, domains=False), worker)


def _put_many_in(room: Room, worker: int) -> list[int]:
    return [room.put("H1", f"{worker}-{i}", id_number=SAMPLE).person for i in range(12)]


def test_processes_at_once_come_to_one_person_and_events_without_gaps(room: Room, factory: str, tmp_path: Path) -> None:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        other = pool.submit(in_process, _put_many, factory, str(tmp_path), 1)
        while not room.store.events(0, 1):
            assert not other.done() or other.result()
        mine = _put_many_in(room, 0)
        assert {*mine, *other.result()} == {1}
    assert [one.number for one in room.store.events(0, 1000)] == list(range(1, 25))
