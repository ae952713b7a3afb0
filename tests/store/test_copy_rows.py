"""Columns as the rows that PostgreSQL's COPY reads, taken apart again."""

import struct

import numpy as np
import pytest

from ehc.crypto.columns import Coded, Texts
from ehc.store.copy_rows import OrNull, text_rows

NAMES = ["测试", "", "a", "电子健康卡", "测试177", "b", "", "欧阳测试"]


def fields_of(data: bytes) -> list[list[bytes | None]]:
    rows, at = list[list[bytes | None]](), 0
    while at < len(data):
        (count,) = struct.unpack_from(">h", data, at)
        at, row = at + 2, list[bytes | None]()
        for _ in range(count):
            (length,) = struct.unpack_from(">i", data, at)
            row.append(None if length < 0 else data[at + 4 : at + 4 + length])
            at += 4 + max(length, 0)
        rows.append(row)
    return rows


@pytest.mark.parametrize("names", [NAMES, ["测试"] * 3, [""] * 2], ids=["mixed", "alike", "empty"])
def test_rows_of_any_shapes_stand_in_their_order(names: list[str]) -> None:
    numbers = np.arange(1, len(names) + 1)
    accounts = np.where(numbers % 3 == 0, 0, numbers * 7)
    cut = np.tile(np.arange(4, dtype=np.uint8), (len(names), 1)), (numbers % 2 * 2 + 2).astype(np.uint8)
    rows = fields_of(text_rows([numbers, Texts.of(names), cut, OrNull(accounts), Coded.of(names).texts()]))
    assert rows == [
        [
            struct.pack(">q", number),
            name.encode(),
            bytes(range(4))[: number % 2 * 2 + 2],
            None if number % 3 == 0 else struct.pack(">q", number * 7),
            name.encode(),
        ]
        for number, name in enumerate(names, 1)
    ]


def test_a_column_of_texts_is_the_list_that_it_was_made_of() -> None:
    texts, places = Texts.of(NAMES), np.array([3, 0, 3, 6])
    assert list(texts) == NAMES
    assert list(texts[2:5]) == NAMES[2:5]
    assert list(texts[2:5].rows(np.array([2, 0]))) == [NAMES[4], NAMES[2]]
    assert list(texts.rows(places)) == list(Coded.of(NAMES).rows(places)) == [NAMES[place] for place in places]
    assert texts.table(np.array([0])).tobytes() == "测试".encode()
    assert list(Texts.of([]).rows(np.array([], np.intp))) == []


@pytest.mark.parametrize("cells", [["aa", "bb", "ac"], ["测试", "测验", "电子"], [""] * 3, ["a"]], ids=repr)
def test_rows_of_one_width_are_those_cells(cells: list[str]) -> None:
    within = Texts.of(["before", *cells, "behind"])[1:-1]  # cells that begin in the middle of their buffer
    places = np.array([len(cells) - 1, 0, 0])
    assert list(within.rows(places)) == list(within.rows(places).rows(np.arange(3))) == [cells[one] for one in places]


@pytest.mark.parametrize(
    ("cells", "known"),
    [
        (["44A1", "44A2", "44B0"], True),
        (["a"], True),
        (["測試", "电子"], True),
        (["44A1", "44A1"], False),
        (["44A2", "44A1"], False),
        (["a\0", "a1"], True),
        (["a", "ab"], False),  # of different widths: nobody looks
        (["", ""], False),
        ([], False),
    ],
)
def test_cells_are_known_to_ascend(cells: list[str], known: bool) -> None:
    assert Texts.of(cells).ascending() is known
    assert not known or cells == sorted(set(cells))
