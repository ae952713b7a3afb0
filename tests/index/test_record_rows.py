"""Plain lines are written by the compiled core: the very bytes and keys that the rules come to one by one."""

import itertools
import random
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from ehc.crypto import record_rows
from ehc.errors import InputError, NotFound
from ehc.index.domain import Domains, visit_card
from ehc.index.generate import HOSPITALS, Population
from ehc.index.lines import Columns, Line, Refused, columns_of, prepare_lines, record_of
from ehc.index.names import latin

DOMAINS = Domains(visit_card(f"G{number:02}", "院", 1) for number in range(HOSPITALS))
SAMPLE = "11010020171225006X"  # the specification's sample person
BOUNDS = [
    "",
    "A",
    "z9",
    "甲" * 100,
    "甲" * 101,
    "B" * 200,
    "甲" * 201,
    "一鿿",
    "\u4dff",
    "\ua000",
    "\U00020000",
    "甲\U00020000",
]
MARKS = [
    "甲·乙",
    "甲・乙",
    "甲•乙",
    "甲-乙",
    "甲 乙",
    " 甲",
    "甲\u3000乙",
    "甲\u200b",
    "甲?",
    "甲＊",
    "é",
    "e\u0301",
    "Ａ",
    "ﬁ",
    "甲\n",
    "\ue000",
]
DAYS = [
    *(f"1999-{month:02}-{day:02}" for month in range(14) for day in (0, 1, 28, 29, 30, 31, 32)),
    *(
        "2000-02-29",
        "1900-02-29",
        "0000-01-01",
        "0001-01-01",
        "0999-01-01",
        "19990101",
        "1999-1-01",
        "1999/01/01",
        "１999-01-01",
    ),
]
VALUES: dict[str, Sequence[str]] = {
    "source": ["visit-card/G00", "visit-card/none", "resident-id", "social-security", "mindex", "birth", ""],
    "local_id": ["1", "00aB", "A" * 64, "A" * 65, "1-2", " 1", "", "１", "é", "1/:@[`{"],
    "name": [*BOUNDS, *MARKS],
    "sex": ["", "0", "1", "2", "9", "3", "12"],
    "birth_date": ["", *DAYS],
    "phone": [
        "",
        "13800138000",
        "1380013800",
        "138001380001",
        "138 0013 8000",
        "+8613800138000",
        "1380013800a",
        "１3800138000",
    ],
    "address": [*BOUNDS, *MARKS],
    "mother": [*BOUNDS, *MARKS],
    "birth_order": ["", "1", "0", "12"],
    "mother_document": ["", SAMPLE, "é"],
}
NUMBERS: Sequence[dict[str, str]] = [
    {},
    {"resident-id": SAMPLE},
    {"resident-id": SAMPLE.lower()},
    {"resident-id": SAMPLE[:17] + "0"},
    {"resident-id": ""},
    {"resident-id": SAMPLE, "social-security": "C1", "visit-card/G01": "7"},
    {"visit-card/G00": "another"},
    {"social-security": "c1"},
    {"social-security": "X" * 65},
    {"passport": "E12345678"},
    {"household-register": SAMPLE},
    {"mindex": "0" * 64},
    {"card-id": "0" * 64},
    {"nobody": "1"},
    {f"visit-card/G{number:02}": "1" for number in range(1, 8)},
    {f"visit-card/G{number:02}": "1" for number in range(1, 9)},
    {f"visit-card/G{number:02}": "X" * 64 for number in range(1, 7)} | {"resident-id": SAMPLE},
]
PLAIN = Line(
    source="visit-card/G00",
    local_id="1",
    name="电子健康卡",
    sex="1",
    birth_date="2017-12-25",
    phone="13800138000",
    address="第11市02区",
    mother="张三",
    identifiers={"resident-id": SAMPLE},
)


def one_by_one(lines: Sequence[Line]) -> tuple[Columns, list[Refused]]:
    found, refused = [], []
    for number, line in enumerate(lines, 1):
        try:
            found.append(record_of(DOMAINS, line))
        except (InputError, NotFound) as error:
            refused.append(Refused(number, str(error)))
    return columns_of(found), refused


def same(lines: Sequence[Line]) -> int:
    """How many lines are records."""
    (columns, refused), wanted = prepare_lines(DOMAINS, map(msgspec.json.encode, lines), 1), one_by_one(lines)
    assert columns.bodies == wanted[0].bodies
    assert refused == wanted[1]
    for own, other in zip(columns[1:], wanted[0][1:], strict=True):
        assert np.array_equal(own, other)
    return len(columns)


@pytest.mark.parametrize("field", VALUES)
def test_every_value_of_a_field(field: str) -> None:
    lines = [msgspec.structs.replace(PLAIN, **{field: value}) for value in VALUES[field]]
    assert same(lines) > 1


@pytest.mark.parametrize("name", ["", "电子健康卡"])
def test_every_set_of_numbers(name: str) -> None:
    assert same([msgspec.structs.replace(PLAIN, name=name, identifiers=numbers) for numbers in NUMBERS]) > 10


def test_every_combination_of_what_is_there_and_what_is_not() -> None:
    fields = ("name", "sex", "birth_date", "phone", "address", "mother", "identifiers")
    nothing = Line(PLAIN.source, PLAIN.local_id)
    some = itertools.chain.from_iterable(itertools.combinations(fields, count) for count in range(len(fields) + 1))
    left = [{field: getattr(nothing, field) for field in one} for one in some]
    assert same([msgspec.structs.replace(PLAIN, **one) for one in left]) == 2 ** len(fields)


def test_anything_beside_anything() -> None:
    draw = random.Random(1)
    lines = []
    for _ in range(3_000):
        told = {field: draw.choice(values) for field, values in VALUES.items() if draw.random() < 0.3}
        lines.append(msgspec.structs.replace(PLAIN, **told, identifiers=draw.choice(NUMBERS)))
    assert 100 < same(lines) < len(lines)


def test_a_population_of_which_hardly_a_line_is_not_plain() -> None:
    lines = list(Population(3_000, 5).rows())
    assert same(lines) == len(lines)
    judged: list[Line] = []
    record_rows(lines, DOMAINS.plain, latin, judged.append)
    assert len(judged) < 0.05 * len(lines)


def test_a_code_that_no_domain_has_is_no_plain_one() -> None:
    """Whatever stands in the table of domains: what is kept has room for codes and numbers of a domain."""
    for code in ("x" * 65, "x" * 5_000, "院", "\ud800", ""):
        asked: list[Line] = []
        line = msgspec.structs.replace(PLAIN, source=code)
        record_rows([line], {code: False}, latin, asked.append)
        record_rows(
            [msgspec.structs.replace(PLAIN, identifiers={code: "1"})],
            {"visit-card/G00": False, code: False},
            latin,
            asked.append,
        )
        assert len(asked) == 2


@pytest.mark.parametrize("value", [1, None, b"1"])
@pytest.mark.parametrize("field", [*VALUES, "identifiers"])
def test_what_is_no_text_is_refused(field: str, value: object) -> None:
    line = msgspec.structs.replace(PLAIN)
    setattr(line, field, value)
    with pytest.raises(TypeError):
        record_rows([line], DOMAINS.plain, latin, lambda _: None)


def test_pinyin_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        record_rows([PLAIN], DOMAINS.plain, lambda _: "\ud800", lambda _: None)
    with pytest.raises(TypeError):
        record_rows([PLAIN], DOMAINS.plain, lambda _: None, lambda _: None)  # type: ignore[arg-type,return-value]


def test_a_line_that_is_no_json_is_refused_by_its_number() -> None:
    good = msgspec.json.encode(PLAIN)
    _, refused = prepare_lines(DOMAINS, [good, b"{", good, b'{"source":1}', b"\xff", good], 10)
    assert [one.number for one in refused] == [11, 13, 14]
