"""Scanners that type: whatever happens between the scanner and us, the code comes out, or nothing does."""

import pytest
from typed_breakages import LOSSY, RECOVERABLE, run

from ehc.reader.layouts import US, keys_of
from ehc.reader.payloads import What
from ehc.reader.repairs import Repair, repair
from ehc.reader.typed import JOIN, Assembler, Stroke

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
TOKEN = "92FD69141DFE1553A42251E2B0196148"
STATIC, DYNAMIC = f"{CARD}:1", f"{CARD}:0:{TOKEN}"


def only(found):
    assert len(found) == 1
    return found[0]


def test_a_code_comes_out_at_its_suffix_with_nothing_repaired():
    for suffix, name in (("\r", "CR"), ("\n", "LF"), ("\t", "Tab"), ("\r\n", "CR")):
        found = only(Assembler().feed(DYNAMIC + suffix, 1.0))
        assert (found.payload, found.repairs, found.suffix) == (DYNAMIC, (), name)
        assert found.found.what is What.HEALTH_CARD


def test_a_code_without_suffix_comes_out_when_nothing_followed():
    wedge = Assembler()
    assert wedge.feed(STATIC, 1.0) == []
    assert wedge.waiting
    assert wedge.poll(1.0 + JOIN) == []
    assert only(wedge.poll(1.01 + JOIN)).payload == STATIC
    assert not wedge.waiting


@pytest.mark.parametrize(
    ("typed", "repairs"),
    [
        (STATIC.swapcase(), ()),  # hex of either case
        (STATIC.replace(":", "："), (Repair.WIDTH,)),
        (STATIC.replace(":", ""), (Repair.COLONS,)),
        (DYNAMIC.replace(":", ""), (Repair.COLONS,)),
        (STATIC.replace(":", ";").lower(), (Repair.LOST_SHIFT,)),
        (STATIC.translate(str.maketrans("1234567890", "!@#$%^&*()")), (Repair.STUCK_SHIFT,)),
        (STATIC.translate(str.maketrans("1234567890A:", "&é\"'(-è_çàQM")), (Repair.LAYOUT,)),
        (STATIC.replace(":", "Ö"), (Repair.LAYOUT,)),
        (f"]Q1{STATIC}", (Repair.IDENTIFIER,)),
        (f"\x02{STATIC}\x03", (Repair.CONTROLS,)),
        (STATIC + STATIC, (Repair.TWICE,)),
        (STATIC[:40] + STATIC, (Repair.TWICE,)),
        (f"\x02]Q1{STATIC.replace(':', '：')}", (Repair.CONTROLS, Repair.WIDTH, Repair.IDENTIFIER)),
    ],
)
def test_what_was_repaired_is_named(typed, repairs):
    found = only(Assembler().feed(f"{typed}\r", 0.0))
    assert found.payload.upper() in (STATIC, DYNAMIC)
    assert found.repairs == repairs
    assert found.raw == typed


def test_pieces_of_a_code_become_one():
    wedge = Assembler()
    assert wedge.feed(DYNAMIC[:67], 0.0) == []  # what follows would be a bare card id of 32 digits
    found = only(wedge.feed(f"{DYNAMIC[67:]}\r", 0.7))
    assert (found.payload, found.repairs) == (DYNAMIC, (Repair.JOINED,))


def test_pieces_of_two_people_never_become_one():
    wedge = Assembler()
    assert wedge.feed(DYNAMIC[:67], 0.0) == []
    found = wedge.feed(f"{TOKEN}\r", 1.0)
    assert [one.payload for one in found] == ["", ""]
    assert found[0].found.what is What.DAMAGED


def test_keys_tell_what_an_input_method_swallowed():
    keys = keys_of(DYNAMIC.lower(), US)
    strokes = [
        Stroke("" if c.isalpha() else c, i / 100, *key) for i, (c, key) in enumerate(zip(DYNAMIC, keys, strict=True))
    ]
    found = only(Assembler().strokes([*strokes, Stroke("", 1.0, "Enter")]))
    assert (found.payload.upper(), found.repairs) == (DYNAMIC, (Repair.KEYS,))


@pytest.mark.parametrize("odd", [0, 1])
def test_bytes_with_a_parity_bit(odd):
    raw = bytes(b | (0x80 if (b.bit_count() + odd) % 2 else 0) for b in f"{DYNAMIC}\r".encode())
    found = only(Assembler().feed(raw, 0.0))
    assert (found.payload, found.repairs, found.suffix) == (DYNAMIC, (Repair.PARITY,), "CR")


def test_what_can_be_two_codes_is_none():
    either = CARD[:32] + "0" + CARD[33:] + "1"  # a static code of 64 digits, or a dynamic one of 32
    assert repair(either) is None
    assert repair(CARD[:32] + "2" + CARD[33:] + "1") is not None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("134567890123456789", What.WECHAT_PAY),
        ("1234567890123456789012345678", What.INSURANCE),
        ("https://example.org", What.URL),
        ("A00123456", What.HOSPITAL_CARD),
        (CARD[:60], What.DAMAGED),
        ("EHC2:ABC", What.DAMAGED),
        ("电子健康卡", What.OTHER),
    ],
)
def test_what_is_no_health_card_is_named(text, what):
    for given in (text, text.encode()):
        found = only(
            Assembler().feed(given, 0.0)
            + Assembler().feed(given + type(given)(b"\r" if isinstance(given, bytes) else "\r"), 0.0)
        )
        assert (found.payload, found.found.what) == ("", what)


def test_somebody_leaning_on_the_keyboard_costs_little():
    wedge = Assembler()
    for i in range(20_000):
        assert wedge.feed("8", i * 0.2) == []
    found = wedge.feed("\r", 4000.5)
    assert [one.payload for one in found] == [""]
    assert len(found[0].raw) <= 4096
    assert only(wedge.feed(f"{STATIC}\r", 4001.0)).payload == STATIC


def test_neither_code_nor_what_was_typed_is_in_a_repr():
    assert CARD[:8] not in repr(only(Assembler().feed(f"{STATIC}\r", 0.0)))


def test_of_every_breakage_nearly_all_codes_come_out_and_no_other_ever():
    """A short part of the campaign; README.md has the long one."""
    tally = run(4000, 20261129)
    assert tally.wrong == []
    assert min(tally.made[name] for name in (*RECOVERABLE, *LOSSY)) > 40
    made = sum(tally.made[name] for name in RECOVERABLE)
    assert sum(tally.right[name] for name in RECOVERABLE) >= 0.99 * made
    exact = set(RECOVERABLE) - {"colons dropped", "stuck shift", "shift stuck on the way", "shift lost", "no suffix"}
    assert all(tally.right[name] >= 0.99 * tally.made[name] - 1 for name in exact)
