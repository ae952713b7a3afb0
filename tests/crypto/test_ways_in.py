"""Ways into a batch give the same cards: tuples, few and many, Arrow columns, threads; and under two keys at once."""

import random

import numpy as np
import pyarrow as pa
import pytest
from reference.derivation import derive

from ehc.crypto import Batch, KeyHandle, card_lines, derive_batch, rekey_batch
from ehc.errors import STATUS

KEY, OTHER = bytes(range(16)), bytes(range(16, 32))
DRAW = random.Random(3)
ROWS = [
    (f"{DRAW.randrange(1, 9):02}", str(DRAW.randrange(10**17)), "阿依古丽·麦麦提A" * DRAW.randrange(7) + "é𠀀名")
    for _ in range(70)
]
BAD = ("01", "1" * 40, "n")


def same(one, other):
    assert one.mindex.tobytes() == other.mindex.tobytes()
    assert one.card_id.tobytes() == other.card_id.tobytes()
    assert one.card_id_lengths.tolist() == other.card_id_lengths.tolist()
    assert one.errors == other.errors


@pytest.mark.parametrize("count", [*range(19), 63, 64, 65, 70])
def test_few_rows_give_the_cards_of_the_reference_and_of_the_long_way(count):
    rows = ROWS[:count]
    cards = derive_batch(rows, KEY)
    for row, mindex, card_id in zip(rows, cards.mindex, cards.card_id, strict=True):
        person = derive(*row, KEY)
        assert (mindex.tobytes(), card_id.tobytes()) == (person.mindex, person.card_id)
    same(cards, derive_batch(Batch.pack(iter(rows)), KeyHandle(KEY)))
    same(cards, derive_batch(tuple(rows), KEY))


@pytest.mark.parametrize("padding", ["full", "minimal"])
def test_few_rows_with_bad_ones_among_them_say_what_the_long_way_says(padding):
    rows = [ROWS[0], BAD, ("01", 5, "n"), ("01", "123", "\ud800"), ("03", "E00000000", "n"), 7]
    cards = derive_batch(rows, KEY, padding=padding)
    assert [error.row for error in cards.errors] == [1, 2, 3, 5]
    assert cards.errors[0].reason == STATUS[17]
    assert cards.card_id_lengths.tolist() == [32, 0, 0, 0, 16 if padding == "minimal" else 32, 0]
    same(cards, derive_batch(Batch.pack(rows), KEY, padding=padding))


def test_a_list_that_grows_while_it_is_packed_is_packed_to_its_end():
    class Name(str):
        __slots__ = ()

    class Number(bytes):
        __slots__ = ()

    class Row(tuple):
        def __iter__(self):
            if len(rows) < 200:
                rows.append(ROWS[1])
            return super().__iter__()

    rows = [Row((Name("01"), Number(b"123"), Name("名")))] * 3
    packed = Batch.pack(rows)
    assert len(packed) == len(rows) == 6
    assert packed.data.tobytes() == ("01123名" * 3 + "".join(ROWS[1]) * 3).encode()


def arrow(rows, kind=None, slice_from=0):
    nothing = [("99", "skipped", "skipped")] * slice_from
    columns = zip(*nothing, *rows, strict=True)
    return [pa.array(list(column), kind or pa.string())[slice_from:] for column in columns]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()])
@pytest.mark.parametrize("slice_from", [0, 1, 9])
def test_arrow_columns_are_packed_as_they_are(kind, slice_from):
    batch = Batch.from_columns(*arrow(ROWS, kind, slice_from))
    expected = Batch.pack(ROWS)
    assert batch.data.tobytes() == expected.data.tobytes()
    assert batch.offsets.tolist() == expected.offsets.tolist()
    assert batch.id_lengths.tolist() == expected.id_lengths.tolist()
    same(derive_batch(batch, KEY), derive_batch(ROWS, KEY))


def test_columns_are_not_normalised():
    rows = [(" 01", "11010020171225006x ", "e\u0301 ?")]
    same(derive_batch(Batch.from_columns(*arrow(rows)), KEY), derive_batch(rows, KEY))


@pytest.mark.parametrize("slice_from", [0, 3, 8])
def test_a_row_with_a_null_is_an_error_that_names_the_column(slice_from):
    rows = [*ROWS[:9], ("01", None, "n"), ROWS[0], (None, "1234", "n"), ("01", "1234", None)]
    cards = derive_batch(Batch.from_columns(*arrow(rows, slice_from=slice_from)), KEY)
    assert cards.errors == ((9, "id_number is null"), (11, "id_type is null"), (12, "name is null"))
    good = [i for i in range(len(rows)) if i not in (9, 11, 12)]
    assert cards.card_id[good].tobytes() == derive_batch([rows[i] for i in good], KEY).card_id.tobytes()
    assert not cards.card_id[[9, 11, 12]].any()


def test_pairs_of_buffers_serve_and_so_do_no_rows():
    texts = ["01", "1234", "名"]
    pairs = [(np.frombuffer(text.encode(), np.uint8), np.array([0, len(text.encode())], np.int32)) for text in texts]
    same(derive_batch(Batch.from_columns(*pairs), KEY), derive_batch([tuple(texts)], KEY))
    empty = Batch.from_columns(*[pa.array([], pa.string())] * 3)
    assert len(empty) == len(derive_batch(empty, KEY)) == 0


def test_columns_that_cannot_be_people_are_refused():
    types, numbers, names = arrow(ROWS[:3])
    with pytest.raises(ValueError, match="id_number: an Arrow array of utf8 or binary wanted"):
        Batch.from_columns(types, pa.array([1, 2, 3]), names)
    with pytest.raises(ValueError, match="name: an Arrow array of utf8 or binary wanted"):
        Batch.from_columns(types, numbers, names.dictionary_encode())
    with pytest.raises(ValueError, match=r"name: an Arrow array or \(bytes, offsets\) wanted, not ChunkedArray"):
        Batch.from_columns(types, numbers, pa.chunked_array([names]))
    with pytest.raises(ValueError, match="same number of rows"):
        Batch.from_columns(types, numbers, names[1:])


def many(count):
    one = Batch.pack([*ROWS, BAD])
    times = -(-count // len(one))
    offsets = np.concatenate(([0], (one.offsets[1:] + len(one.data) * np.arange(times)[:, None]).ravel()))[: count + 1]
    return Batch(np.tile(one.data, times), offsets, np.tile(one.id_lengths, times)[:count])


@pytest.mark.parametrize("count", [0, 1, 1 << 14, (1 << 14) + 1, 50_000])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_give_the_same_cards_and_the_right_rows_in_error(count, threads):
    batch = many(count)
    cards = derive_batch(batch, KEY, threads=threads)
    same(cards, derive_batch(batch, KEY))
    assert [error.row for error in cards.errors] == list(range(70, count, 71))


def test_less_than_one_thread_is_refused():
    with pytest.raises(ValueError, match="threads is at least 1, not 0"):
        derive_batch(many(100), KEY, threads=0)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 63, 64, 65, 5000])
@pytest.mark.parametrize("padding", ["full", "minimal"])
def test_rekeying_gives_what_either_key_gives(count, padding):
    batch = many(count)
    both = rekey_batch(batch, KEY, KeyHandle(OTHER), padding=padding)
    old, new = (derive_batch(batch, key, padding=padding) for key in (KEY, OTHER))
    assert len(both) == count
    assert both.old_card_id.tobytes() == old.card_id.tobytes()
    assert both.new_card_id.tobytes() == new.card_id.tobytes()
    assert (both.errors, both.card_id_lengths.tolist()) == (old.errors, old.card_id_lengths.tolist())


@pytest.mark.parametrize("count", [0, 1, 70, 40_000])
def test_cards_are_written_over_those_of_an_earlier_answer(count):
    batch = many(count)
    earlier = derive_batch(batch, OTHER)
    cards = derive_batch(batch, KEY, out=earlier, threads=2)
    same(cards, derive_batch(batch, KEY))
    assert cards.mindex is earlier.mindex
    assert cards.card_id is earlier.card_id
    few = derive_batch(ROWS[:3], OTHER)
    same(derive_batch(ROWS[3:6], KEY, out=few), derive_batch(ROWS[3:6], KEY))
    with pytest.raises(ValueError, match=f"out has {count} rows for {count + 1}"):
        derive_batch(many(count + 1), KEY, out=earlier)


def test_rekeying_agrees_with_the_reference_and_goes_over_threads():
    both = rekey_batch(ROWS, KEY, OTHER)
    for i, row in enumerate(ROWS):
        assert both.old_card_id[i].tobytes() == derive(*row, KEY).card_id
        assert both.new_card_id[i].tobytes() == derive(*row, OTHER).card_id
    batch = many(40_000)
    assert (
        rekey_batch(batch, KEY, OTHER, threads=2).new_card_id.tobytes() == derive_batch(batch, OTHER).card_id.tobytes()
    )
    with pytest.raises(ValueError, match="a key has 16 bytes, not 15"):
        rekey_batch(ROWS, KEY, OTHER[:15])
    with pytest.raises(ValueError, match="'full' or 'minimal'"):
        rekey_batch(ROWS, KEY, OTHER, padding="none")


@pytest.mark.parametrize("with_mindex", [True, False])
def test_card_lines_are_what_hex_and_join_give(with_mindex):
    rows = [*ROWS[:6], BAD, ("03", "E00000000", "n")]
    cards = derive_batch(rows, KEY, padding="minimal")
    lines = np.array([0, 9, 10, 99, 12345678901234567, 2**63 - 1, 7, 8], np.int64)
    columns = [lines.tolist(), *([cards.hex().mindex] if with_mindex else []), cards.hex().card_id]
    expected = "".join(",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True) if row[-1])
    mindex = cards.mindex if with_mindex else None
    assert card_lines(lines, mindex, cards.card_id, cards.card_id_lengths).tobytes().decode() == expected
    assert card_lines(lines[:0], None, cards.card_id[:0], cards.card_id_lengths[:0]).size == 0
    with pytest.raises(ValueError, match="same number of rows"):
        card_lines(lines[1:], mindex, cards.card_id, cards.card_id_lengths)
