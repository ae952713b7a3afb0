"""institutions.use.UseStore, over every implementation: statistics equal the records."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import combinations

import pytest

from ehc.institutions.place import Change, Institution
from ehc.institutions.statistics import HOUR, Dimension, Question
from ehc.institutions.use import Outcome, Use
from ehc.model import CST
from ehc.wiring.stores import Stores

NOW = 1_767_225_600
REGIONS = {"H-1": "510104", "H-2": "510722", "H-3": "110101", "H-4": "510104"}
SCENES = ("010101", "010105", "000000")
SPAN = 30 * HOUR


@pytest.fixture
def stores(stores: Stores) -> Stores:
    for code, region in REGIONS.items():
        stores.places.add(Institution(code, "测试医院", region, "A", NOW), "")
    return stores


def use(institution: str, record: int, chance: random.Random) -> Use:
    places = (chance.choice([None, "d1"]), chance.choice([None, "t1"]))
    details = (chance.choice(SCENES), chance.choice(list(Outcome)), *places)
    return Use(institution, f"r{record}", NOW + chance.randrange(SPAN), chance.randrange(1, 9), *details)


def uploads(seed: int) -> list[list[Use]]:
    """Random batches of random institutions; about a third of their rows come several times."""
    chance = random.Random(seed)
    made = {
        (code, record): use(code, record, random.Random(f"{seed} {code} {record}"))
        for code in REGIONS
        for record in range(60)
    }
    batches = []
    for _ in range(24):
        code = chance.choice(list(REGIONS))
        batches.append([made[code, record] for record in chance.sample(range(60), chance.randrange(1, 20))])
    return batches


def midnight(at: int) -> int:
    return int(datetime.fromtimestamp(at, CST).replace(hour=0, minute=0, second=0).timestamp())


VALUES: dict[Dimension, Callable[[Use], str | int]] = {
    Dimension.PROVINCE: lambda one: REGIONS[one.institution][:2],
    Dimension.CITY: lambda one: REGIONS[one.institution][:4],
    Dimension.REGION: lambda one: REGIONS[one.institution],
    Dimension.INSTITUTION: lambda one: one.institution,
    Dimension.SCENE: lambda one: one.scene,
    Dimension.OUTCOME: lambda one: one.outcome.value,
    Dimension.DAY: lambda one: midnight(one.used_at),
    Dimension.HOUR: lambda one: one.used_at // HOUR * HOUR,
}


def all_uses(stores: Stores) -> list[Use]:
    ids = [f"r{record}" for record in range(60)]
    return [one for code in REGIONS for one in stores.uses.known(code, ids).values()]


def check(stores: Stores, question: Question, uses: list[Use]) -> None:
    expected = Counter(tuple(VALUES[name](one) for name in question.by) for one in uses)
    found = stores.uses.counts(question, 100_000)
    assert {one.values: one.uses for one in found} == expected
    assert [one.values for one in found] == sorted(expected)


@pytest.mark.parametrize("seed", [1, 2])
def test_statistics_equal_the_records_whatever_was_uploaded_how_often_and_by_how_many_at_once(
    stores: Stores, seed: int
) -> None:
    batches = uploads(seed)
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda batch: stores.uses.keep(batch, NOW), batches))
    uses = all_uses(stores)
    assert {(one.institution, one.record_id): one for one in uses} == {
        (one.institution, one.record_id): one for batch in batches for one in batch
    }
    assert sum(map(len, kept)) == len(uses)  # each was new to exactly one call
    whole = (NOW, NOW + SPAN)
    for size in (0, 1, 2, len(Dimension)):
        for by in combinations(Dimension, size):
            check(stores, Question(*whole, by), uses)
    later = [one for one in uses if NOW + 3 * HOUR <= one.used_at < NOW + 20 * HOUR]
    check(stores, Question(NOW + 3 * HOUR, NOW + 20 * HOUR, (Dimension.SCENE,)), later)
    for region in ("51", "5101", "510722"):
        inside = [one for one in uses if REGIONS[one.institution].startswith(region)]
        check(stores, Question(*whole, (Dimension.OUTCOME, Dimension.DAY), region), inside)
    own = [one for one in uses if one.institution == "H-2" and one.scene == "010105"]
    check(stores, Question(*whole, (Dimension.HOUR,), None, "H-2", "010105"), own)


def test_what_is_known_is_kept_as_it_was(stores: Stores) -> None:
    first = Use("H-1", "r1", NOW, 7, "010101", Outcome.SERVED)
    other = Use("H-1", "r1", NOW + HOUR, 8, "010105", Outcome.FAILED)
    same_id = Use("H-2", "r1", NOW, 8, "010101", Outcome.SERVED)
    assert set(stores.uses.keep([first], NOW)) == set(stores.uses.keep([same_id], NOW)) == {"r1"}
    assert set(stores.uses.keep([other], NOW)) == set()
    assert stores.uses.known("H-1", ["r1", "r2"]) == {"r1": first}
    check(stores, Question(NOW, NOW + SPAN, (Dimension.HOUR,)), [first, same_id])


def test_nothing_is_counted_where_nothing_is(stores: Stores) -> None:
    for by in ((), (Dimension.HOUR,)):
        assert stores.uses.counts(Question(NOW, NOW + SPAN, by), 10) == []
    assert stores.uses.keep([], NOW) == ()
    assert stores.uses.known("H-1", []) == {}


def test_no_more_rows_than_asked_for(stores: Stores) -> None:
    chance = random.Random(3)
    stores.uses.keep([use("H-1", record, chance) for record in range(60)], NOW)
    assert len(stores.uses.counts(Question(NOW, NOW + SPAN, (Dimension.HOUR,)), 3)) == 3


def test_a_region_counts_the_institutions_that_are_in_it_now(stores: Stores) -> None:
    stores.uses.keep([Use("H-3", "r1", NOW, 7, "010101", Outcome.SERVED)], NOW)
    stores.places.change(Institution, ["H-3"], Change({"region": "310101"}), NOW, "")
    (one,) = stores.uses.counts(Question(NOW, NOW + HOUR, (Dimension.PROVINCE,)), 9)
    assert one == (("31",), 1)
