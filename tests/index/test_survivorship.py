"""What a person shows of what its records say: each field by its own rule."""

from ehc.index.person import Stored, survive
from ehc.index.record import Identifier, Record

PASSPORT = "passport"


def stored(number: int, version: int, source: str, *identifiers: Identifier, **said: str) -> Stored:
    return Stored(number, 1, 1, version, version, Record(source, str(number), **said, identifiers=identifiers))


def test_every_field_survives_by_its_own_rule() -> None:
    records = [
        stored(1, 50, "H1", name="李秀英之子", phone="13800000001", sex="1"),
        stored(2, 20, "H2", name="王子轩", phone="13800000002", address="人民路1号"),
        stored(3, 30, "H3", name="王子萱", birth_date="2026-01-01"),
    ]
    person = survive(1, records)
    assert {name: (one.value, one.record) for name, one in person.fields.items()} == {
        "name": ("王子萱", 3),  # a newborn's name yields, else who said it last
        "phone": ("13800000001", 1),
        "sex": ("1", 1),
        "address": ("人民路1号", 2),  # alone
        "birth_date": ("2026-01-01", 3),
    }
    trusted = survive(1, records, {"H2": 5})
    assert (trusted.value("name"), trusted.value("phone")) == ("王子轩", "13800000002")
    assert trusted.value("sex") == "1"


def test_a_number_is_good_where_any_record_says_so_and_ends_last_of_all() -> None:
    ended, sound = Identifier(PASSPORT, "E1", sound=False, until=10), Identifier(PASSPORT, "E1", until=20)
    assert survive(1, [stored(1, 1, "H1", ended), stored(2, 2, "H2", sound)]).identifiers == (sound,)
    good = Identifier(PASSPORT, "E1")
    assert survive(1, [stored(1, 1, "H1", sound), stored(2, 2, "H2", good)]).identifiers == (good,)
