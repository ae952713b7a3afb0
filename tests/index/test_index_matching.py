"""What is merged, what is read by people, what stays apart: the rules, over pairs as registration desks make them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehc.cards.identity import check_character
from ehc.errors import InputError, NotFound
from ehc.index.batch import pairs_of_blocks
from ehc.index.chinese import MODEL
from ehc.index.compare import view
from ehc.index.deciding import Decider, Verdict
from ehc.index.domain import Domains, new_domain, visit_card
from ehc.index.generate import Population, Rates
from ehc.index.keys import identifier_keys
from ehc.index.lines import record_of
from ehc.index.measure import completeness, quality
from ehc.index.names import MISSING, fits, folded, latin
from ehc.index.record import Record, changed, new_record, strong_changes
from ehc.index.training import expectation_maximisation, patterns, random_pairs, train
from ehc.index.weights import Scorer, from_json, to_json

DOMAINS = Domains([visit_card("H1", "一院", 0), visit_card("H2", "二院", 0)])
HOSPITALS = Domains([visit_card(f"G{number:02}", "医院", 0) for number in range(40)])
DECIDER = Decider(Scorer(MODEL), DOMAINS)
SAMPLE = "11010020171225006X"
TWIN = "110100201712250158"
KNOWN = {
    "name": "王子轩",
    "birth_date": "2017-12-25",
    "sex": "1",
    "phone": "13800000001",
    "address": "第01市01区人民路1号1号楼1单元101室",
    "mother": "李秀英",
}


def record(hospital: str = "H1", number: str = "", passport: str = "", mother: str = "", **said: str) -> Record:
    numbers = [("resident-id", number), ("passport", passport)]
    return new_record(DOMAINS, f"visit-card/{hospital}", "1", KNOWN | said, numbers, mother_document=mother)


def verdict(one: Record, other: Record) -> tuple[Verdict, str]:
    forth, back = DECIDER.decide(one, other), DECIDER.decide(other, one)
    assert (forth.verdict, forth.reason) == (back.verdict, back.reason)
    assert forth.score.bits == pytest.approx(back.score.bits)
    return forth.verdict, forth.reason


MERGED: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("a sound number and the name", {"number": SAMPLE}, {"number": SAMPLE, "phone": "", "address": ""}),
    ("a name that sounds alike", {"number": SAMPLE}, {"number": SAMPLE, "name": "王梓萱"}),
    ("traditional characters", {"number": SAMPLE, "name": "张伟"}, {"number": SAMPLE, "name": "張偉"}),
    ("a character that the system did not have", {"number": SAMPLE}, {"number": SAMPLE, "name": "王子\ue863"}),
    (
        "the 15 digits",
        {"number": "110100491231002"},
        {"number": "11010019491231002" + check_character("11010019491231002")},
    ),
    ("lower case and full width", {"number": SAMPLE}, {"number": "１１０１００２０１７１２２５００６ｘ"}),
    ("a passport", {"passport": "E12345678"}, {"passport": "e12345678", "phone": "", "address": ""}),
    ("an interpunct", {"name": "买买提·艾力", "number": SAMPLE}, {"name": "买买提．艾力", "number": SAMPLE}),
    ("no number, all else", {}, {}),
    ("no number, phone alone", {}, {"address": ""}),
    ("a birth date mistyped, all else", {}, {"birth_date": "2017-12-26"}),
    (
        "the name of a newborn",
        {"mother": "M1", "birth_order": "1", "name": "李秀英之子"},
        {"mother": "M1", "birth_order": "1"},
    ),
]
READ: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("renamed, or a parent's card", {"number": SAMPLE}, {"number": SAMPLE, "name": "赵国庆"}),
    ("two numbers of one person, or two of one name", {"number": SAMPLE}, {"number": TWIN}),
    ("a name that sounds alike, no number", {}, {"name": "王梓萱"}),
    ("another character, no number: a twin?", {}, {"name": "王子豪"}),
    ("a passport of two resident ids", {"number": SAMPLE, "passport": "E1"}, {"number": TWIN, "passport": "E1"}),
]
APART: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("twins with numbers", {"number": SAMPLE}, {"number": TWIN, "name": "王浩宇"}),
    ("a mother and her child", {"name": "李秀英", "birth_date": "1990-01-01", "sex": "2"}, {}),
    ("the same name alone", {"phone": "", "address": "", "mother": ""}, {"phone": "", "birth_date": "1960-05-05"}),
]


@pytest.mark.parametrize(("one", "other"), [case[1:] for case in MERGED], ids=[case[0] for case in MERGED])
def test_it_is_surely_one_person(one: dict[str, str], other: dict[str, str]) -> None:
    assert verdict(_of(one), _of(other, "H2"))[0] is Verdict.MERGE


@pytest.mark.parametrize(("one", "other"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_people_must_read(one: dict[str, str], other: dict[str, str]) -> None:
    assert verdict(_of(one), _of(other, "H2"))[0] is Verdict.REVIEW


@pytest.mark.parametrize(("one", "other"), [case[1:] for case in APART], ids=[case[0] for case in APART])
def test_these_are_two_persons(one: dict[str, str], other: dict[str, str]) -> None:
    assert verdict(_of(one), _of(other, "H2"))[0] is Verdict.APART


def _of(said: dict[str, str], hospital: str = "H1") -> Record:
    newborn = said.get("mother", "").startswith("M")
    return record(hospital, **({"mother": "", **said} if newborn else said))


def test_twins_without_numbers_are_two_by_their_birth_order() -> None:
    one, other = (record(h, mother="M1", birth_order=order) for h, order in (("H1", "1"), ("H2", "2")))
    assert verdict(one, other)[0] is not Verdict.MERGE


def test_a_score_is_the_sum_of_what_each_field_says() -> None:
    score = DECIDER.decide(record(), record("H2", phone="")).score
    prior = Scorer(MODEL).score(view(Record("s", "1")), view(Record("s", "2"))).bits
    assert score.bits == pytest.approx(prior + sum(part.bits for part in score.parts))
    assert {part.field: part.level for part in score.parts} == {
        "name": "equal",
        "birth_date": "equal",
        "sex": "equal",
        "number": "unknown",
        "phone": "unknown",
        "address": "equal",
        "mother": "equal",
        "birth_order": "unknown",
    }
    assert next(part.bits for part in score.parts if part.field == "phone") == 0


def test_a_value_that_many_have_says_less() -> None:
    shares = {"name": {folded("王子轩"): 0.01}, "phone": {"13800000001": 0.001}}
    common = Scorer(msgspec.structs.replace(MODEL, frequencies=shares))
    rare = Scorer(MODEL)
    pair = view(record()), view(record("H2"))
    assert common.score(*pair).bits < rare.score(*pair).bits - 15


@pytest.mark.parametrize(
    ("one", "other", "fit"),
    [
        ("王子轩", "王子?", True),
        ("王?轩", "王子□", True),
        ("王子轩", "王子", False),
        ("王?", "??", False),
        ("", "", False),
    ],
)
def test_missing_characters_fit_any(one: str, other: str, fit: bool) -> None:
    assert fits(folded(one), folded(other)) is fit
    assert fits(folded(other), folded(one)) is fit


def test_names_sound_as_they_are_written() -> None:
    assert latin("张伟") == latin("張偉") == latin("章炜") == "ZHANGWEI"
    assert latin("Anna Example") == "ANNAEXAMPLE"
    assert folded("买买提·艾力") == folded("买买提•艾力") == folded("买买提 艾力")


@given(st.text(max_size=20))
def test_any_text_has_both_forms(text: str) -> None:
    assert fits(folded(text), folded(text)) or set(folded(text)) <= {MISSING}
    assert latin(text).isupper() or not any(one.isascii() and one.isalpha() for one in latin(text))


@given(st.text(alphabet="张伟買買提艾力·•．?□ ABcdé・\ue863", max_size=12))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def test_former_numbers_stay_with_their_end() -> None:
    old, new = record(number=SAMPLE), record(number=TWIN, name="王子豪")
    now = changed(old, new, 50)
    ends = {one.value: one.until for one in now.identifiers if one.domain == "resident-id"}
    assert ends == {TWIN: None, SAMPLE: 50}
    assert strong_changes(old, new, DOMAINS) == ["name", "resident-id"]
    assert changed(now, new, 60) == now


def test_nothing_of_a_person_shows_in_a_repr() -> None:
    shown = repr(record(number=SAMPLE)) + repr(record(number=SAMPLE).identifiers)
    assert not any(value in shown for value in (SAMPLE, *KNOWN.values()) if len(value) > 1)


@pytest.mark.parametrize("wrong", ["", "电", "a" * 65, "visit card"])
def test_a_domain_has_a_code(wrong: str) -> None:
    with pytest.raises(InputError, match="domain"):
        new_domain(wrong, "x", "y")
    with pytest.raises(NotFound, match="register it first"):
        new_record(DOMAINS, "visit-card/H9", "1", {})


# --- populations


def people(count: int, seed: int) -> tuple[dict[int, Record], dict[int, int]]:
    lines = list(Population(count, seed).rows())
    return {i: record_of(HOSPITALS, one) for i, one in enumerate(lines)}, {i: one.truth for i, one in enumerate(lines)}


def test_a_seed_is_a_population_and_the_rates_are_met() -> None:
    lines = list(Population(3_000, 7).rows())
    assert lines == list(Population(3_000, 7).rows())
    assert lines != list(Population(3_000, 8).rows())
    persons = {one.truth for one in lines}
    assert len(persons) == 3_000
    assert len(lines) / 3_000 == pytest.approx(1 + Rates().duplicates, abs=0.03)
    assert any("·" in one.name for one in lines)
    numbers = {one.identifiers.get("resident-id", "") for one in lines}
    assert all(number.startswith("90") for number in numbers - {""})  # no region has this code: nobody is meant


def test_blocks_find_nearly_every_true_pair_and_rules_merge_no_wrong_one() -> None:
    bodies, truth = people(3_000, 3)
    decider = Decider(Scorer(MODEL), HOSPITALS)
    found = completeness(bodies, truth, identifier_keys)
    assert found.share > 0.995
    pairs, blocking = pairs_of_blocks(bodies)
    assert blocking.pairs == len(pairs) < 20 * len(bodies)
    person = {number: number for number in bodies}
    strong: dict[int, int] = {}
    for number, body in bodies.items():
        pairs |= {(strong[key], number) for key in identifier_keys(body) if key in strong}
        strong |= dict.fromkeys(identifier_keys(body), number)
    for one, other in pairs:
        if decider.decide(bodies[one], bodies[other]).verdict is Verdict.MERGE:
            person[other] = person[one]
    done = quality(person, truth)
    assert done.wrong == 0
    assert done.recall > 0.98


def test_em_finds_the_weights_that_a_population_was_made_with() -> None:
    """Of 20,000 pairs whose levels were drawn with known m and u."""
    import numpy as np

    random = np.random.default_rng(1)
    m, u = [np.array([0.9, 0.1]), np.array([0.8, 0.2]), np.array([0.7, 0.3])], [np.array([0.05, 0.95])] * 3
    same = random.random(20_000) < 0.3
    drawn = [
        np.where(same, random.random(20_000) > of[0], random.random(20_000) > other[0])
        for of, other in zip(m, u, strict=True)
    ]
    counted: dict[tuple[int, ...], int] = {}
    for levels in zip(*(column.astype(int).tolist() for column in drawn), strict=True):
        counted[levels] = counted.get(levels, 0) + 1
    start = [np.array([0.6, 0.4])] * 3
    for found, true in zip(expectation_maximisation(counted, start, u), m, strict=True):
        assert found == pytest.approx(true, abs=0.03)


def test_training_gives_a_model_that_is_read_back_and_tells_pairs_apart() -> None:
    bodies, truth = people(2_000, 5)
    views = {number: view(body) for number, body in bodies.items()}
    pairs, _ = pairs_of_blocks(bodies)
    scorer = Scorer(MODEL)
    likely = patterns(scorer, ((views[a], views[b]) for a, b in pairs))
    trained = train(
        MODEL, list(views.values()), likely, patterns(scorer, random_pairs(list(views.values()), 20_000, 1)), 1e-4
    )
    assert from_json(to_json(trained)) == trained
    score = Scorer(trained).score
    true = [score(views[a], views[b]).bits for a, b in pairs if truth[a] == truth[b]]
    false = [score(views[a], views[b]).bits for a, b in pairs if truth[a] != truth[b]]
    assert sum(true) / len(true) > sum(false) / len(false) + 15
    assert trained.frequencies["name"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prior": 2}, "no share"),
        ({"comparisons": []}, ""),
        ({"name": 1}, "model"),
    ],
)
def test_a_model_that_is_none_is_refused(change: dict[str, Any], said: str) -> None:
    text = json.dumps(json.loads(to_json(MODEL)) | change)
    if said:
        with pytest.raises(InputError, match=said):
            from_json(text)
    else:
        assert from_json(text).comparisons == ()
