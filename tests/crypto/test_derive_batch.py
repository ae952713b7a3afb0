"""derive_batch against the domain's vectors, the reference, OpenSSL and gmssl; batches of every shape."""

import random
import sys
import threading

import gmssl.sm3
import numpy as np
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from reference.derivation import derive
from vectors import load

from ehc.crypto import Batch, KeyHandle, derive_batch
from ehc.errors import STATUS
from ehc.model import IdType

VECTORS = load("identifiers")
KEY = bytes.fromhex(VECTORS["security_key"])
GROUPS = (8, 16, 32, 64)  # lanes, and rows of a group
SIZES = sorted({0, 1, *(n + d for n in GROUPS for d in (-1, 0, 1)), 128, 129, 200})
LENGTHS = (20, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 121, 127, 128, 183, 184, 247, 248, 1000)
TRAPS = {16: (b"A", b"", b"n"), 17: (b"01", b"N" * 31, b"n"), 18: (b"01", b"12\n", b"n")}


def openssl(row, id_length, key=KEY):
    """(mindex, card id) of a packed row."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(row)
    mindex = digest.finalize()
    factor = np.bitwise_xor.reduce(np.frombuffer(mindex, np.uint8).reshape(4, 8)).tobytes()

    def sm4(key, data):
        encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
        return encryptor.update(data) + encryptor.finalize()

    user_key = sm4(key, factor + bytes(0xFF ^ b for b in factor))
    return mindex, sm4(user_key, row[:id_length].ljust(32, b"\0"))


def rows_of(lengths, seed=0):
    """A row a length: id of 3 to 32 printable characters, then a name of any bytes."""
    draw = random.Random(seed)
    rows = []
    for length in lengths:
        id_length = draw.randint(3, min(32, length))
        identity = bytes(draw.randrange(0x20, 0x7F) for _ in range(id_length))
        rows.append((identity[:2], identity[2:], draw.randbytes(length - id_length)))
    return rows


def assert_right(rows, result, wrong=()):
    wrong = set(wrong)
    assert [error.row for error in result.errors] == sorted(wrong)
    for i, (id_type, id_number, name) in enumerate(rows):
        expected = openssl(id_type + id_number + name, len(id_type + id_number)) if i not in wrong else (bytes(32),) * 2
        assert (result.mindex[i].tobytes(), result.card_id[i].tobytes()) == expected, i


@pytest.mark.parametrize("case", VECTORS["case"], ids=lambda c: c["name"])
def test_the_domains_answers_come_out(case):
    cards = derive_batch([tuple(case["person"])], KEY).hex()
    assert cards.card_id == [case["card_id"]]
    assert cards.mindex == [case.get("mindex", cards.mindex[0])]


def test_the_domains_answers_come_out_in_a_full_batch_together():
    people = [tuple(case["person"]) for case in VECTORS["case"]] * 50
    cards = derive_batch(people, KeyHandle(KEY))
    assert cards.hex().card_id == [case["card_id"] for case in VECTORS["case"]] * 50
    assert cards.errors == ()


def test_the_reference_agrees():
    draw = random.Random(7)
    people = [(f"{draw.randrange(100):02}", str(draw.randrange(10**9)), "测试" * draw.randrange(30)) for _ in range(20)]
    cards = derive_batch(people, KEY)
    for i, person in enumerate(people):
        card = derive(*person, KEY)
        assert (cards.mindex[i].tobytes(), cards.card_id[i].tobytes()) == (card.mindex, card.card_id)


def test_gmssl_agrees_on_the_mindex():
    rows = rows_of((20, 55, 56, 120))
    for row, mindex in zip(rows, derive_batch(rows, KEY).mindex, strict=True):
        assert mindex.tobytes().hex() == gmssl.sm3.sm3_hash(list(b"".join(row)))


@pytest.mark.parametrize("size", SIZES)
def test_every_number_of_rows_around_a_group(size):
    rows = rows_of([35] * size, seed=size)
    assert_right(rows, derive_batch(rows, KEY))


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_of_a_row_around_a_block(length):
    rows = rows_of([length] * 37, seed=length)
    assert_right(rows, derive_batch(rows, KEY))


def test_buckets_of_mixed_lengths_keep_the_order_of_rows():
    draw = random.Random(5)
    rows = rows_of([draw.choice(LENGTHS) for _ in range(700)])
    assert_right(rows, derive_batch(rows, KEY))


def test_every_id_length_from_3_to_32():
    rows = [(b"0", b"1" * (n - 1), "电子健康卡".encode()) for n in range(3, 33)]
    assert_right(rows, derive_batch(rows, KEY))


@pytest.mark.parametrize("status", TRAPS)
@pytest.mark.parametrize("at", [0, 1, 31, 32, 63, 64, 99])
def test_a_bad_row_disturbs_no_other(status, at):
    rows = rows_of([random.Random(at).choice(LENGTHS) for _ in range(100)])
    rows[at] = TRAPS[status]
    result = derive_batch(rows, KEY)
    assert_right(rows, result, wrong=[at])
    assert result.errors == ((at, STATUS[status]),)


def test_a_batch_of_bad_rows_only():
    rows = list(TRAPS.values()) * 40
    result = derive_batch(rows, KEY)
    assert_right(rows, result, wrong=range(120))
    assert result.hex().mindex == result.hex().card_id == [""] * 120


@pytest.mark.parametrize("byte", [0x00, 0x09, 0x1F, 0x7F, 0x80, 0xFF])
@pytest.mark.parametrize("at", [0, 1, 2, 19])
def test_a_byte_outside_printable_ascii_anywhere_in_the_id_is_refused(byte, at):
    identity = bytearray(b"0111010020171225006X")
    identity[at] = byte
    result = derive_batch([(bytes(identity[:2]), bytes(identity[2:]), b"n")], KEY)
    assert result.errors == ((0, STATUS[18]),)


@pytest.mark.parametrize("byte", [0x20, 0x7E])
def test_the_ends_of_printable_ascii_are_accepted(byte):
    rows = [(b"01", bytes([byte]) * 18, b"n")]
    assert_right(rows, derive_batch(rows, KEY))


def test_an_id_far_over_32_bytes_is_refused_even_where_its_length_would_wrap():
    for length in (33, 255, 256, 257, 276, 511, 512, 532, 70000):
        assert derive_batch([("01", "1" * (length - 2), "n")], KEY).errors == ((0, STATUS[17]),), length


def test_offsets_that_run_backwards_are_an_error_of_their_row():
    data = np.frombuffer(b"0111010020171225006X" * 3, np.uint8)
    batch = Batch(data, np.array([0, 40, 20, 40, 60]), np.array([20, 20, 20, 20]))
    result = derive_batch(batch, KEY)
    assert result.errors == ((1, STATUS[19]),)
    expected = [openssl(b"0111010020171225006X" * n, 20)[1] for n in (2, 1, 1)]
    assert [result.card_id[i].tobytes() for i in (0, 2, 3)] == expected


def test_an_id_longer_than_its_row_is_an_error():
    batch = Batch(np.full(40, 0x30, np.uint8), np.array([0, 10, 40]), np.array([11, 11]))
    assert derive_batch(batch, KEY).errors == ((0, STATUS[19]),)


def test_offsets_outside_the_data_are_refused():
    with pytest.raises(ValueError, match=r"offsets\[1\] = 21 lies past the 20 bytes"):
        derive_batch(Batch(np.zeros(20, np.uint8), np.array([0, 21]), np.array([20])), KEY)
    for offsets in ([0], [0, 10, 20], []):
        with pytest.raises(ValueError, match="1 rows need 2 offsets"):
            derive_batch(Batch(np.zeros(20, np.uint8), np.array(offsets, np.uint32), np.array([20])), KEY)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("data", np.array([300])),
        ("data", np.array([-1])),
        ("data", np.array([0.5])),
        ("data", np.zeros((2, 10), np.uint8)),
        ("offsets", np.array([0, 2**32 + 20])),
        ("offsets", np.array([-(2**32), 20])),
        ("id_lengths", np.array([276])),
        ("id_lengths", np.array([-236])),
    ],
)
def test_numbers_that_do_not_fit_are_refused_and_never_wrapped(field, value):
    parts = {"data": np.zeros(20, np.uint8), "offsets": np.array([0, 20]), "id_lengths": np.array([20])}
    with pytest.raises(ValueError, match=f"^{field}: "):
        Batch(**parts | {field: value})


def test_plain_lists_and_wider_integers_that_fit_are_taken():
    row = b"0111010020171225006X"
    for kind in (list, lambda x: np.array(x, np.int64), lambda x: np.array(x, np.uint16)):
        batch = Batch(np.array(kind(list(row))), np.array(kind([0, 20])), np.array(kind([20])))
        assert derive_batch(batch, KEY).card_id[0].tobytes() == openssl(row, 20)[1]


@pytest.mark.parametrize("shift", [1, 3, 7, 15, 31])
def test_unaligned_and_strided_arrays_serve(shift):
    rows = rows_of([random.Random(shift).choice(LENGTHS) for _ in range(150)], seed=shift)
    packed = Batch.pack(rows)
    data = np.frombuffer(bytes(shift) + packed.data.tobytes(), np.uint8)[shift:]
    offsets = np.frombuffer(bytes(shift) + packed.offsets.tobytes(), np.uint8)[shift:].view(np.uint32)
    twice = np.repeat(packed.id_lengths, 2)[::2]
    assert_right(rows, derive_batch(Batch(data, offsets, twice), KEY))


def test_read_only_arrays_serve_and_are_not_written():
    batch = Batch.pack(rows_of([40] * 50))
    for array in (batch.data, batch.offsets, batch.id_lengths):
        array.flags.writeable = False
    before = batch.data.tobytes()
    derive_batch(batch, KEY)
    assert batch.data.tobytes() == before


def test_text_and_bytes_give_the_same_card():
    text = ("01", "11010020171225006X", "电子健康卡")
    cards = derive_batch([text, tuple(cell.encode() for cell in text)], KEY).hex()
    assert cards.card_id[0] == cards.card_id[1]


def test_subclasses_of_str_and_bytes_are_text_too():
    class Text(str):
        __slots__ = ()

    class Bytes(bytes):
        __slots__ = ()

    number, name = "11010020171225006X", "电子健康卡"
    rows = [(IdType.RESIDENT_ID, Text(number), Text(name)), (Bytes(b"01"), number, Bytes(name.encode()))]
    assert derive_batch(rows, KEY).hex().card_id == [VECTORS["case"][0]["card_id"]] * 2


@pytest.mark.parametrize("first", range(0, 0x110000, 0x8000))
def test_every_code_point_is_packed_as_utf_8(first):
    """In rows of 256 code points of one width each, so that a str of every internal form is met."""
    rows = [
        ("01", "110", "".join(map(chr, range(at, at + 256))))
        for at in range(first, min(first + 0x8000, 0x110000), 256)
        if not 0xD800 <= at < 0xE000
    ]
    packed = Batch.pack(rows)
    assert packed.data.tobytes() == "".join(f"01110{name}" for _, _, name in rows).encode()
    assert packed.errors == ()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("01", "110", 5), "str or bytes wanted, not int"),
        (("01", None, "n"), "str or bytes wanted, not NoneType"),
        (("01", "110"), "not an (id_type, id_number, name)"),
        (("01", "110", "n", "m"), "not an (id_type, id_number, name)"),
        (5, "not an (id_type, id_number, name)"),
        (("01", "110", "\ud800"), "cannot be written in UTF-8"),
    ],
)
def test_a_row_that_is_not_text_is_an_error_and_leaves_no_bytes(row, reason):
    good = ("01", "11010020171225006X", "电子健康卡")
    result = derive_batch(iter([good, row, good]), KEY)
    assert [error.row for error in result.errors] == [1]
    assert reason in result.errors[0].reason
    card_ids = result.hex().card_id
    assert card_ids[1] == ""
    assert card_ids[0] == card_ids[2] == VECTORS["case"][0]["card_id"]
    assert Batch.pack([good, row]).offsets.tolist()[1:] == [35, 35]


def test_an_error_of_the_row_source_reaches_the_caller():
    def broken():
        yield ("01", "110", "n")
        raise RuntimeError("the file ended early")

    with pytest.raises(RuntimeError, match="the file ended early"):
        derive_batch(broken(), KEY)


def test_reasons_hold_no_personal_data():
    for row in [
        ("01", "SECRET-\n", "NAME"),
        ("01", "SECRET", 7),
        ("01", "SECRET" * 9, "NAME"),
        ("01", "SECRET", "N\ud800"),
    ]:
        (error,) = derive_batch([row], KEY).errors
        assert "SECRET" not in error.reason
        assert "NAME" not in error.reason


def test_minimal_padding_shortens_ids_of_one_block_only():
    people = [("03", "E00000000", "TEST PERSON"), ("01", "1" * 14, "n"), ("01", "1" * 15, "n"), ("1", "", "n")]
    full, minimal = derive_batch(people, KEY), derive_batch(people, KEY, padding="minimal")
    assert minimal.card_id_lengths.tolist() == [16, 16, 32, 0]
    assert full.card_id_lengths.tolist() == [32, 32, 32, 0]
    assert minimal.hex().card_id[0] == "837C825FE117BE7F9031F42030F7AD7F"
    assert [len(card) for card in minimal.hex().card_id] == [32, 32, 64, 0]
    assert [long.startswith(short) for long, short in zip(full.hex().card_id, minimal.hex().card_id, strict=True)]
    with pytest.raises(ValueError, match="'full' or 'minimal', not 'none'"):
        derive_batch(people, KEY, padding="none")


def test_another_key_gives_another_card_and_the_same_mindex():
    rows = rows_of([40])
    one, other = derive_batch(rows, KEY), derive_batch(rows, bytes(16))
    assert one.mindex.tobytes() == other.mindex.tobytes()
    assert other.card_id.tobytes() == openssl(b"".join(rows[0]), len(rows[0][0] + rows[0][1]), bytes(16))[1]
    with pytest.raises(ValueError, match="a key has 16 bytes, not 15"):
        derive_batch(rows, KEY[:15])


def test_threads_derive_side_by_side():
    batch = Batch.pack(rows_of([random.Random(1).choice(LENGTHS) for _ in range(3000)]))
    expected, key, results = derive_batch(batch, KEY), KeyHandle(KEY), [None] * 4

    def work(i):
        results[i] = derive_batch(batch, key)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        assert np.array_equal(result.mindex, expected.mindex)
        assert np.array_equal(result.card_id, expected.card_id)


def test_other_threads_run_while_a_large_batch_is_derived():
    """Counts the turns of this thread between the begin and the end of one call in another: with the GIL held for the
    whole call it could have none but the first few instructions around it."""
    one = Batch.pack(rows_of([100] * 1000))
    batch = Batch(np.tile(one.data, 300), np.arange(0, 100 * 300_000 + 1, 100), np.tile(one.id_lengths, 300))
    begun, done, turns = threading.Event(), threading.Event(), 0

    def work():
        begun.set()
        derive_batch(batch, KEY)
        done.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        begun.wait()
        while not done.is_set():
            turns += 1
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert turns > 1000
