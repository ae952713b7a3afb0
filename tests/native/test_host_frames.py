"""The machine's end of the host protocol: the field's frames, and any others as the reference answers them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.host import answer as reference
from vectors import load

from ehc.crypto import Batch, KeyHandle, derive_batch
from ehc.crypto.host import CODES, MAKE, OPEN, HostBatch, HostMachine, answer_room

VECTORS = load("host")
SECURITY, PROTECTION = (bytes.fromhex(VECTORS[f"{name}_key"]) for name in ("security", "protection"))
TEXT = b"a machine"
FACTOR = bytes.fromhex("92CDCE45A16799FD")


def handle(raw, purpose, version=1):
    return KeyHandle(raw, purpose, version)


MACHINE = HostMachine(
    {1: (handle(SECURITY, "security_key"), MAKE | OPEN)}, {1: (handle(PROTECTION, "protection_key"), MAKE | OPEN)}, TEXT
)


def framed(*bodies):
    return b"".join(len(body).to_bytes(2, "big") + body for body in bodies)


def answered(stream, machine=MACHINE):
    """All answers to a stream of whole frames."""
    answers, done = bytearray(answer_room(len(stream))), b""
    at = 0
    while at < len(stream):
        taken, written = machine.answer(stream, at, len(stream), answers)
        assert taken
        at, done = at + taken, done + answers[:written]
    return done


@pytest.mark.parametrize("frame", VECTORS["frame"], ids=lambda frame: frame["name"])
def test_the_frames_of_the_field_get_the_answers_of_the_field(frame):
    assert answered(bytes.fromhex(frame["question"])).hex().upper() == frame["answer"]


@pytest.mark.parametrize("frame", VECTORS["frame"], ids=lambda frame: frame["name"])
def test_the_reference_answers_alike(frame):
    body = bytes.fromhex(frame["question"])[2:]
    made = framed(reference(body, {1: SECURITY}, {1: PROTECTION}, TEXT))
    assert made.hex().upper() == frame["answer"]


def factor_digits(factor):
    return (factor + bytes(255 - b for b in factor)).hex().upper().encode()


FIELDS = st.one_of(
    st.builds(lambda n, d: b"3C20%04d%b;00000000" % (n % 10_000, d), st.integers(0, 40), st.binary(max_size=40)),
    st.builds(
        lambda command, name, factor, padding, n, data: (
            b"%b0000AK%04d01%b00%b%04X%b" % (command, name, factor_digits(factor), padding, n % 65_536, data)
        ),
        st.sampled_from([b"S3", b"S4"]),
        st.sampled_from([104, 104, 104, 105, 106, 102, 9999]),
        st.binary(min_size=8, max_size=8),
        st.sampled_from([b"02", b"05", b"01"]),
        st.integers(0, 50),
        st.binary(max_size=50),
    ),
    st.builds(
        lambda command, padding, data: b"%b0000AK01040000%b%04X%b" % (command, padding, len(data), data),
        st.sampled_from([b"S3", b"S4"]),
        st.sampled_from([b"02", b"05"]),
        st.sampled_from([bytes.fromhex("20180117115003"), bytes.fromhex("92FD69141DFE1553A42251E2B0196148"), bytes(16)])
        | st.binary(min_size=7, max_size=7),
    ),
    st.sampled_from([b"NC", b"CR1234", b"CR", b"", b"N"]),
    st.binary(max_size=30),
)


def well_formed(body):
    """With the lengths that they say, so that more than the parser is tried."""
    if body[:2] in (b"S3", b"S4") and len(body) > 54 and body[10:12] == b"01":
        return body[:50] + b"%04X" % (len(body) - 54) + body[54:]
    if body[:2] == b"3C" and len(body) >= 17:
        return body[:4] + b"%04d" % (len(body) - 17) + body[8:]
    return body


@given(st.lists(FIELDS | FIELDS.map(well_formed), max_size=80))
@settings(max_examples=60)
def test_any_frames_get_the_answers_of_the_reference_in_order(bodies):
    expected = framed(*(reference(body, {1: SECURITY}, {1: PROTECTION}, TEXT) for body in bodies))
    assert answered(framed(*bodies)) == expected


def test_more_frames_than_there_is_room_for_answers_wait():
    stream = framed(*[b"NC"] * 1000)
    answers = bytearray(answer_room(4) + 40)
    taken, written = MACHINE.answer(stream, 0, len(stream), answers)
    assert 0 < taken < len(stream)
    assert bytes(answers[:written]) == framed(b"ND00" + TEXT) * (taken // 4)


def test_what_was_done_is_counted_by_version():
    machine = HostMachine({7: (handle(SECURITY, "security_key", 7), MAKE)}, {}, TEXT)
    card = b"S30000AK011601" + factor_digits(FACTOR) + b"000200141234567890abcdefghij"
    answered(framed(card, card, b"3C200003abc;00000000", b"NC", b"??", card.replace(b"S3", b"S4", 1)), machine)
    counted = {tuple(map(int, at)): int(machine.counts[tuple(at)]) for at in np.argwhere(machine.counts)}
    assert counted == {(1, 7): 2, (0, 0): 1, (5, 0): 1, (6, 10): 1, (6, 16): 1}


def test_every_code_is_documented():
    text = (b"?", b"NC1", b"3C21", b"S3", b"S30000AK010403")
    codes = {int(answered(framed(body))[4:6]) for body in text}
    assert codes <= set(CODES)


PEOPLE = [("01", f"11010020171225{n:04}", "测试" * (1 + n % 30)) for n in range(300)]


@pytest.mark.parametrize("padding", ["full", "minimal"])
def test_a_batch_asked_frame_by_frame_is_the_batch_derived(padding):
    people = [
        *PEOPLE,
        ("03", "E00000000", "TEST PERSON"),
        ("01", "1" * 31, "甲"),
        ("01", "5", "x" * 9998),
        ("x", "é", "y"),
    ]
    batch = Batch.pack(people)
    asked, n = HostBatch(batch, padding), len(people)
    answers = answered(asked.rows.ask_digests(0, n).tobytes())
    assert asked.rows.take(True, 0, n, answers, 0, len(answers)) == (n, len(answers))
    answers = answered(asked.rows.ask_cards(0, n, 1).tobytes())
    assert asked.rows.take(False, 0, n, answers, 0, len(answers)) == (n, len(answers))
    made, expected = asked.derived(), derive_batch(batch, SECURITY, padding=padding)
    assert [error.row for error in made.errors] == [301, 302, 303]
    assert made.errors[0] == expected.errors[0]
    assert "9,999" in made.errors[1].reason
    good = [row for row in range(n) if row not in (301, 302, 303)]
    assert made.hex().card_id[:301] == expected.hex().card_id[:301]
    assert (made.mindex[good] == expected.mindex[good]).all()
    assert made.card_id_lengths[good].tolist() == expected.card_id_lengths[good].tolist()
