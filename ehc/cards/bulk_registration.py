"""Registering many people at once: columns in, one outcome a row out. A bad row never touches another.

Derivation, uniqueness and history are done for all rows together (issuing.py, AccountStore.register_columns), without
an object a row until the outcomes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ehc.cards.account import AccountStore, Derived, NewCardColumns, Outcome
from ehc.cards.deriving import Deriver
from ehc.cards.issuing import FIELDS, Issued, PersonColumns, RefusedRow, issue
from ehc.cards.registration import Registrar
from ehc.crypto.columns import Column, Texts, column_of
from ehc.model import Identity

MOST = 16_384
"""Rows in one call: they are one transaction, and held in memory together."""


class RegisteredRow(Struct, frozen=True, gc=False):
    """What came of one row. outcome None: refused. A Struct: one is made for every row."""

    outcome: Outcome | None
    card_id: str = ""  # empty when refused, and under another name
    refused: RefusedRow | None = None


class BulkRegistrar:
    """Many people, each as Registrar.register. Raises KeyUnavailable, Unavailable: then nobody was registered."""

    def __init__(self, store: AccountStore, derive: Deriver, registrar: Registrar) -> None:
        self._store, self._derive, self._registrar = store, derive, registrar

    def register(self, people: PersonColumns, now: int, by: str = "") -> list[RegisteredRow]:
        """At most MOST rows as typed; what this returns is committed, row for row."""
        version = self._derive.version()
        issued = issue(people, self._derive.keys, self._derive.padding, version)
        rows = np.flatnonzero(issued.card_id_lengths)
        if len(rows) and not issued.refused:
            return self._outcomes(new_cards(people, issued, rows, version), now, by)
        outcomes = {one.row: RegisteredRow(None, "", one) for one in issued.refused}
        if len(rows):
            new = new_cards(people, issued, rows, version)
            outcomes |= zip(rows.tolist(), self._outcomes(new, now, by), strict=True)
        return [outcomes[row] for row in range(len(issued.card_id_lengths))]

    def _outcomes(self, new: NewCardColumns, now: int, by: str) -> list[RegisteredRow]:
        found = self._store.register_columns(new, now, by)
        outcomes = [*map(RegisteredRow, repeat(Outcome.CREATED), card_ids(new))]
        for row, other in found.others.items():
            settled = self._registrar.settle(other, _derived(new, row), now, by)
            outcomes[row] = RegisteredRow(settled.outcome, "" if settled.card is None else settled.card.card_id)
        return outcomes


def new_cards(people: PersonColumns, issued: Issued, rows: NDArray[np.intp], version: int) -> NewCardColumns:
    """The cards of these rows, all of which were issued one."""
    made = issued.mindex[rows], issued.card_id[rows], issued.card_id_lengths[rows]
    every = len(rows) == len(issued.card_id_lengths)
    texts = [column if every else column.rows(rows) for column in (Texts(*one) for one in people)]
    id_type, id_number, name = _corrected(texts, rows, issued.normalised)
    return NewCardColumns(id_type, id_number, name, *made, version)


def _corrected(
    texts: Sequence[Texts], rows: NDArray[np.intp], normalised: Mapping[int, Identity]
) -> Iterator[Sequence[str]]:
    """With what was hashed in place of what was typed."""
    if not normalised:
        yield from texts
        return
    places = np.searchsorted(rows, list(normalised)).tolist()
    for column, field in zip(texts, FIELDS, strict=True):
        cells = column.tolist()
        for place, identity in zip(places, normalised.values(), strict=True):
            cells[place] = getattr(identity, field)
        yield cells


def card_ids(new: NewCardColumns) -> Iterator[str]:
    text = new.card_id.tobytes().hex().upper()
    for row, length in enumerate(new.card_id_lengths.tolist()):
        yield text[64 * row : 64 * row + 2 * length]


def _derived(new: NewCardColumns, row: int) -> Derived:
    identity = Identity(new.id_type[row], new.id_number[row], new.name[row])
    card_id = new.card_id[row, : new.card_id_lengths[row]].tobytes().hex().upper()
    return Derived(identity, new.mindex[row].tobytes(), card_id, new.key_version)


def columns_of(people: Sequence[tuple[str, str, str]]) -> PersonColumns:
    """Rows of text as columns."""
    cells = zip(*people, strict=True) if people else ((), (), ())
    return PersonColumns(*map(_column, cells))


def _column(texts: Sequence[str]) -> Column:
    return column_of([text.encode("utf-8", "surrogatepass") for text in texts])
