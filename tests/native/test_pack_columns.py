"""The column packer of native/derive against the identity rules: what it passes is canonical already, byte for byte,
and it passes what the bulk of the field's rows are."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ehc.cards.identity import check_character, encode, normalise
from ehc.crypto import Batch, derive_batch, pack_columns
from ehc.model import Identity

RESIDENT = "11010020171225006X"
NAME = "电子健康卡"


def column(cells):
    """Arrow's layout: bytes, and offsets into them."""
    encoded = [cell if isinstance(cell, bytes) else cell.encode("utf-8", "surrogatepass") for cell in cells]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def pack(rows):
    types, numbers, names = zip(*rows, strict=True) if rows else ((), (), ())
    return pack_columns(column(types), column(numbers), column(names))


def packed_rows(batch):
    data = batch.data.tobytes()
    return [data[batch.offsets[i] : batch.offsets[i + 1]] for i in range(len(batch))]


def assert_agrees(rows):
    """A row that is passed is its own normal form; one that is not has no bytes. Returns the indices of the others."""
    batch, irregular = pack(rows)
    passed = set(range(len(rows))) - set(irregular.tolist())
    for i, row in enumerate(packed_rows(batch)):
        if i in passed:
            normal = normalise(*rows[i])
            assert normal == Identity(*rows[i])
            assert row == "".join(rows[i]).encode()
            assert batch.id_lengths[i] == len(rows[i][0]) + len(rows[i][1])
        else:
            assert (row, batch.id_lengths[i]) == (b"", 0)
    return irregular.tolist()


@pytest.mark.parametrize(
    "row",
    [
        ("01", RESIDENT, NAME),
        ("01", RESIDENT, "测"),
        ("01", RESIDENT, "测" * 50),
        ("01", RESIDENT, "阿依·测试"),
        ("03", "E00000000", "TEST PERSON"),
        ("99", "A" * 30, "a"),
    ],
)
def test_the_fields_usual_rows_are_passed(row):
    assert assert_agrees([row]) == []


@pytest.mark.parametrize(
    "row",
    [
        ("01", "110100201712250061", NAME),  # wrong check character
        ("01", RESIDENT.lower(), NAME),
        ("01", RESIDENT[:17], NAME),
        ("01", "110100171225006", NAME),
        ("1", RESIDENT, NAME),
        ("00", RESIDENT, NAME),
        ("09", "E1", NAME),
        ("0１", RESIDENT, NAME),
        ("01", RESIDENT, ""),
        ("01", RESIDENT, " 测试"),
        ("01", RESIDENT, "测试 "),
        ("01", RESIDENT, "测  试"),
        ("01", RESIDENT, "测" * 51),
        ("01", RESIDENT, "测•试"),
        ("01", RESIDENT, "\ue000"),
        ("01", RESIDENT, "测\0试"),
        ("01", RESIDENT, "e\u0301"),
        ("01", RESIDENT, "?"),
        ("01", RESIDENT, "···"),
        ("01", RESIDENT, "123"),
        ("03", "A" * 31, NAME),
        ("03", "", NAME),
        ("03", "e1", NAME),
        ("03", "E 1", NAME),
    ],
)
def test_what_is_not_canonical_is_left_to_the_slow_path(row):
    assert assert_agrees([("01", RESIDENT, NAME), row, ("01", RESIDENT, NAME)]) == [1]


@pytest.mark.parametrize(
    "name", [b"\xe5", b"\xe5\x8d", b"\xe4\xb8\x80\xe5", b"\xc2", b"\xe4\xb8\x00", b"\xe4\x38\x80", b"\xff"]
)
def test_a_name_that_is_no_utf_8_is_left_to_the_slow_path(name):
    batch, irregular = pack([("01", RESIDENT, name), ("01", RESIDENT, NAME)])
    assert irregular.tolist() == [0]
    assert packed_rows(batch) == [b"", f"01{RESIDENT}{NAME}".encode()]


def test_every_date_of_birth_is_passed_only_if_the_calendar_has_it():
    rows = []
    for year in ("1799", "1800", "1899", "1900", "1999", "2000", "2099", "2100"):
        for month in range(14):
            for day in (0, 1, 28, 29, 30, 31, 32):
                digits = f"110100{year}{month:02}{day:02}001"
                rows.append(("01", digits + check_character(digits), NAME))
    assert len(assert_agrees(rows)) < len(rows)


def test_every_character_of_the_basic_plane_alone_and_in_a_name():
    characters = [chr(code) for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000]
    irregular = assert_agrees([("01", RESIDENT, character) for character in characters])
    assert len(characters) - len(irregular) > 20_000
    assert_agrees([("01", RESIDENT, f"测{character}试") for character in characters[:0x3100]])


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["01", "02", "03", "08", "99", "1", "", "09", "98"]),
            st.sampled_from([RESIDENT, "110100201712250061", "E00000000", "AB-12"]) | st.text(max_size=20),
            st.text("测试电子·. aZ0\u00b7", max_size=8) | st.text(max_size=60),
        ),
        max_size=20,
    )
)
@example([("99", "0", " ")])
def test_any_rows(rows):
    assert_agrees([row for row in rows if not any("\ud800" <= character < "\ue000" for character in "".join(row))])


def test_packed_columns_derive_the_same_cards_as_the_slow_path():
    rows = [("01", RESIDENT, NAME), ("03", "E00000000", "TEST PERSON"), ("01", "x", "y")]
    batch, irregular = pack(rows)
    slow = derive_batch(encode([normalise(*row) for row in rows[:2]]), bytes(16))
    fast = derive_batch(batch, bytes(16))
    assert irregular.tolist() == [error.row for error in fast.errors] == [2]
    assert np.array_equal(fast.card_id[:2], slow.card_id)


def test_columns_of_a_slice_that_do_not_begin_at_zero():
    data, offsets = column([NAME, NAME, "测"])
    types, numbers = column(["01", "01", "01"]), column([RESIDENT] * 3)
    batch, irregular = pack_columns((types[0], types[1][1:]), (numbers[0], numbers[1][1:]), (data, offsets[1:]))
    assert irregular.size == 0
    assert packed_rows(batch) == [f"01{RESIDENT}{name}".encode() for name in (NAME, "测")]


def test_no_rows_and_wrong_offsets():
    empty = (np.zeros(0, np.uint8), np.zeros(1, np.int32))
    batch, irregular = pack_columns(empty, empty, empty)
    assert isinstance(batch, Batch)
    assert (len(batch), irregular.size) == (0, 0)
    good = column(["01"])
    for wrong in ([0, 3], [0, -1], [2, 0], [-1, 2]):
        with pytest.raises(ValueError, match="column offset"):
            pack_columns(good, good, (good[0], np.array(wrong, np.int32)))
    with pytest.raises(ValueError, match="same number of rows"):
        pack_columns(good, good, empty)
    nothing = (good[0], np.zeros(0, np.int32))
    with pytest.raises(ValueError, match="at least one"):
        pack_columns(nothing, nothing, nothing)


def test_columns_over_4_gib_together_are_refused():
    huge = (np.zeros(2**31 - 1, np.uint8), np.zeros(1, np.int32))  # never touched, so never in memory
    with pytest.raises(ValueError, match="at most 4 GiB"):
        pack_columns(huge, huge, huge)
