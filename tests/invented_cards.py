"""Invented people with their derived cards: person(i), new_card(i), columns(which)."""

from collections.abc import Iterable

from ehc.cards.account import Derived, NewCard, NewCardColumns
from ehc.cards.invented import resident_id
from ehc.crypto import derive_batch
from ehc.crypto.batch import Padding
from ehc.model import Identity

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def person(i: int) -> tuple[str, str, str]:
    return "01", resident_id(i * 7), ("甲乙", "丙丁戊")[i % 2]


def new_card(i: int) -> NewCard:
    derived = derive_batch([person(i)], KEY)
    return NewCard(Derived(Identity(*person(i)), derived.mindex[0].tobytes(), derived.hex().card_id[0], 1))


def columns(which: Iterable[int], padding: Padding = "full", *, passports: bool = False) -> NewCardColumns:
    """passports: every second person has one."""
    rows = [("03", f"E{i:08}", "TEST PERSON") if passports and i % 2 else person(i) for i in which]
    cards = derive_batch(rows, KEY, padding=padding)
    id_type, id_number, name = ([row[field] for row in rows] for field in range(3))
    return NewCardColumns(id_type, id_number, name, cards.mindex, cards.card_id, cards.card_id_lengths, 1)
