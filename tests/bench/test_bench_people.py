"""The invented people are well formed, nobody's, and the same every time."""

from itertools import islice

from people import (
    PROTECTION_KEY,
    VALIDITY_VECTOR,
    VECTORS,
    codes,
    people,
    population,
    write_csv,
)

from ehc.cards.identity import normalise
from ehc.cards.invented import resident_id
from ehc.crypto import check_batch, make_token


def test_every_row_is_in_the_form_that_is_hashed():
    for row in population(3_000):
        one = normalise(*row)
        assert (one.id_type, one.id_number, one.name) == row


def test_resident_ids_lie_in_no_province_and_never_repeat():
    ids = {resident_id(i) for i in range(50_000)} | {resident_id(i) for i in range(10**9, 10**9 + 50_000)}
    assert len(ids) == 100_000
    assert {number[:2] for number in ids} == {"10"}


def test_a_seed_gives_the_same_people_and_another_seed_others():
    assert list(people(100, seed=7)) == list(people(100, seed=7)) != list(people(100, seed=8))


def test_all_kinds_of_rows_are_among_them():
    rows = list(people(3_000))
    lengths = {len("".join(row).encode()) for row in rows}
    assert {row[0] for row in rows} == {"01", "03"}
    assert min(lengths) < 55 < max(lengths)  # one SM3 block and two


def test_a_file_has_a_header_and_the_people(tmp_path):
    write_csv(tmp_path / "people.csv", 10)
    lines = (tmp_path / "people.csv").read_text("utf-8").splitlines()
    assert lines == ["id_type,id_number,name", *(",".join(row) for row in people(10))]


def test_the_vectors_come_first():
    assert list(islice(population(10), 4)) == list(VECTORS)


def test_codes_are_accepted_and_refused_as_announced():
    now, token = VALIDITY_VECTOR
    scans = codes(500, [token, make_token(now + 30, PROTECTION_KEY)], make_token(now - 3600, PROTECTION_KEY))
    announced = [accepted for _, accepted in scans]
    assert check_batch([text for text, _ in scans], PROTECTION_KEY, now).accepted.tolist() == announced
    assert 0 < announced.count(False) < 100
