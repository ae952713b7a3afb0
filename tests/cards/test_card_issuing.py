"""Many at once: the fast path and the explaining one decide alike, and both agree with the reference."""

import numpy as np
import pytest
from cards.invented import people
from hypothesis import example, given
from hypothesis import strategies as st
from reference.derivation import derive as reference

from ehc.cards import issuing
from ehc.cards.identity import normalise
from ehc.cards.issuing import PersonColumns, issue
from ehc.crypto import KeyHandle, pack_columns
from ehc.errors import IdentityError
from ehc.machine.software import SoftwareMachine
from ehc.model import Identity

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
MACHINE = SoftwareMachine(KeyHandle(KEY), None)


def column(cells):
    cells = [cell if isinstance(cell, bytes) else cell.encode("utf-8", "surrogatepass") for cell in cells]
    offsets = np.zeros(len(cells) + 1, np.int32)
    offsets[1:] = np.cumsum([len(cell) for cell in cells])
    return np.frombuffer(b"".join(cells), np.uint8), offsets


def columns(rows):
    return PersonColumns(*(column(cells) for cells in zip(*rows, strict=True)))


def test_every_row_gets_the_card_of_the_reference():
    rows = list(people(40))
    rows[3] = (" 01", rows[3][1].lower(), rows[3][2] + "\u3000")
    issued = issue(columns(rows), MACHINE)
    assert issued.refused == ()
    for i, row in enumerate(rows):
        identity = normalise(*row)
        card = reference(identity.id_type, identity.id_number, identity.name, KEY)
        assert issued.mindex[i].tobytes() == card.mindex
        assert issued.card_id[i].tobytes() == card.card_id
        assert issued.card_id_lengths[i] == 32


def test_minimal_padding_keeps_the_first_block_of_short_documents_alone():
    rows = [("03", "E00000000", "TEST PERSON"), ("03", "E" * 15, "TEST PERSON"), ("03", "e00000000", "TEST PERSON")]
    issued = issue(columns(rows), MACHINE, "minimal")
    assert issued.card_id_lengths.tolist() == [16, 32, 16]
    assert issued.card_id[0, :16].tobytes().hex().upper() == "837C825FE117BE7F9031F42030F7AD7F"
    assert issued.card_id[2].tobytes() == issued.card_id[0].tobytes()


def test_a_bad_row_is_named_and_the_others_are_done():
    good = ("01", "11010020171225006X", "电子健康卡")
    rows = [good, ("01", "110100201712250067", "电子健康卡"), good, ("01", good[1], b"\xb2\xe2\xca\xd4"), good]
    issued = issue(columns(rows), MACHINE)
    assert [(one.row, one.field) for one in issued.refused] == [(1, "id_number"), (3, "name")]
    assert "check character" in issued.refused[0].reason
    assert "byte 1 of the field (0xB2) is not UTF-8" in issued.refused[1].reason
    assert issued.card_id_lengths.tolist() == [32, 0, 32, 0, 32]
    assert not issued.card_id[[1, 3]].any()
    assert not issued.mindex[[1, 3]].any()
    assert {issued.card_id[i].tobytes().hex()[:8].upper() for i in (0, 2, 4)} == {"98FF9F2C"}


def test_no_rows_give_no_cards():
    empty = (np.empty(0, np.uint8), np.zeros(1, np.int32))
    issued = issue(PersonColumns(empty, empty, empty), MACHINE)
    assert (len(issued.mindex), issued.refused) == (0, ())


def test_a_row_that_only_the_machine_refuses_is_named_and_not_lost(monkeypatch):
    monkeypatch.setattr(issuing, "normalise", lambda *row: Identity("99", "A" * 31, "测试"))
    issued = issue(columns([("99", "a" * 31, "测试"), ("03", "E1", "测试")]), MACHINE)
    assert [(one.row, one.reason) for one in issued.refused] == [(0, "refused by the crypto machine")]


id_types = st.sampled_from(["01", "02", "03", "08", "99", "00", "09", "98", "1", "", "０1", " 01", "010"])
resident_ids = st.sampled_from([row[1] for row in people(50) if row[0] == "01"]).flatmap(
    lambda number: st.one_of(
        st.just(number),
        st.tuples(st.integers(0, 17), st.sampled_from("0123456789Xx")).map(
            lambda change: number[: change[0]] + change[1] + number[change[0] + 1 :]
        ),
    )
)
numbers = st.one_of(resident_ids, st.text("A9Z0a-( Ａ测", max_size=33), st.text("A9", min_size=29, max_size=32))
edges = "一龥龦丿·•? \u3000Aa9-.'\u0301\u0387\ue000\ufffd\U00020000\U0002f800\u3400\ufeff\u0000ア"
names = st.one_of(
    st.text(edges, max_size=6),
    st.text("测A·9 ", min_size=45, max_size=53),
    st.characters().map(lambda character: "测" + character),
    st.binary(max_size=7),
    st.integers(0, 255).map(lambda byte: b"\xe4\xb8" + bytes([byte])),
)


@given(st.lists(st.tuples(id_types, numbers, names), min_size=1, max_size=20))
@example([("01", "11010020171225006X", "电子健康卡")])
@example([("03", "A" * 30, "一" * 50), ("03", "A" * 31, "一" * 50), ("03", "A", "一" * 51)])
@example(
    [("03", "A", "·"), ("03", "A", "9"), ("03", "A", "A "), ("03", "A", " A"), ("03", "A", "A  A"), ("03", "A", "")]
)
def test_a_row_on_the_fast_path_is_one_that_normalising_leaves_as_it_is(rows):
    batch, irregular = pack_columns(*columns(rows))
    for i in sorted(set(range(len(rows))) - set(irregular.tolist())):
        id_type, id_number, name = rows[i]
        name = name.decode("utf-8") if isinstance(name, bytes) else name
        assert normalise(id_type, id_number, name) == Identity(id_type, id_number, name)
        packed = batch.data[batch.offsets[i] : batch.offsets[i + 1]].tobytes()
        assert packed == (id_type + id_number + name).encode("utf-8")
        assert batch.id_lengths[i] == len(id_type + id_number)


def one_at_a_time(id_type, id_number, name):
    """(identity, None) or (None, what the refusal says)."""
    try:
        return normalise(id_type, id_number, name if isinstance(name, str) else name.decode()), None
    except UnicodeDecodeError:
        one = issue(columns([(id_type, id_number, name)]), MACHINE).refused[0]
        return None, (one.field, one.reason)
    except IdentityError as error:
        return None, (error.field, error.reason)


@given(st.lists(st.tuples(id_types, numbers, names), min_size=1, max_size=20), st.sampled_from(["full", "minimal"]))
def test_both_paths_give_the_decisions_and_bytes_of_one_row_at_a_time(rows, padding):
    issued = issue(columns(rows), MACHINE, padding)
    refused = {one.row: (one.field, one.reason) for one in issued.refused}
    for i, (id_type, id_number, name) in enumerate(rows):
        identity, reason = one_at_a_time(id_type, id_number, name)
        if identity is None:
            assert refused[i] == reason
            continue
        assert i not in refused
        alone = MACHINE.derive_batch(issuing.encode([identity]), padding=padding)
        assert issued.mindex[i].tobytes() == alone.mindex[0].tobytes()
        assert issued.card_id[i].tobytes() == alone.card_id[0].tobytes()
        assert issued.card_id_lengths[i] == alone.card_id_lengths[0]


@pytest.mark.parametrize("row", list(people(30, seed=5)))
def test_ordinary_people_take_the_fast_path(row):
    assert len(pack_columns(*columns([row]))[1]) == 0
