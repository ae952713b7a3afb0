"""Physical cards coming in, many at once: checked, their holders given electronic cards, kept. A bad row touches no
other.

Three steps, so that a run may do one of a batch beside another of the next: `prepare` asks no database, `link` writes
accounts, `keep` writes cards. Killed between two of them, doing all three again comes to the same: a document has one
account, a version of a card is kept once.

`link` may be done in lanes, two of them at once: the rows of one document are all in one lane, so who comes first in an
export comes first there too, whichever lane is ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ehc.cards.account import AccountStore, NewCardColumns, Outcome, Registered
from ehc.cards.bulk_registration import MOST, new_cards
from ehc.cards.deriving import Deriver
from ehc.cards.issuing import PersonColumns, issue
from ehc.cards.registration import OTHER_NAME
from ehc.crypto.columns import Texts
from ehc.model import Origin
from ehc.registry import checking, versions
from ehc.registry.card import CardState, CardTable, KeptCard, PhysicalCard, RegistryStore, Ruling, Taking
from ehc.registry.checking import CardColumns, RefusedField

WITHOUT = f"{OTHER_NAME}; the physical card is kept without an electronic one"


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Cards that may be kept, and the rows of the batch that they were."""

    cards: CardTable
    rows: NDArray[np.intp]
    electronic: NewCardColumns  # of their holders, card for card
    refused: Sequence[RefusedField]  # in the order of the rows; they are in none of the others

    def lanes(self, count: int) -> list[NDArray[np.intp]]:
        """Places among the cards, each in the lane of its holder's document: by the sum of its number's characters."""
        number = self.cards.id_number
        sums = np.add.reduceat(number.data[: number.offsets[-1]], number.offsets[:-1], dtype=np.uint32)
        return [np.flatnonzero(sums % count == lane) for lane in range(count)]

    def of_places(self, places: NDArray[np.intp]) -> Prepared:
        """These cards alone; what was refused stays with the whole."""
        return Prepared(self.cards.rows(places), self.rows[places], self.electronic.of_rows(places), [])


class Linked(NamedTuple):
    """Card for card the account of the holder's electronic card, 0 where there is none."""

    prepared: Prepared
    accounts: NDArray[np.int64]
    created: int  # electronic cards that were made
    other_name: Sequence[int]  # cards whose holder's document has an electronic card under another name
    fresh: bool  # none of them was known

    @classmethod
    def joined(cls, whole: Prepared, parts: Sequence[tuple[NDArray[np.intp], Linked]]) -> Linked:
        """parts: places of cards of the whole, and what was done for these."""
        accounts = np.zeros(len(whole.cards), np.int64)
        for places, part in parts:
            accounts[places] = part.accounts
        other_name = sorted(int(places[one]) for places, part in parts for one in part.other_name)
        created = sum(part.created for _, part in parts)
        return cls(whole, accounts, created, other_name, all(part.fresh for _, part in parts))


class Intake:
    """All raise KeyUnavailable, Unavailable: then what was in hand is done again. most: cards of one batch."""

    most = MOST

    def __init__(self, store: RegistryStore, accounts: AccountStore, derive: Deriver) -> None:
        self._store, self._accounts, self._derive = store, accounts, derive

    def prepare(self, people: PersonColumns, columns: CardColumns) -> Prepared:
        version = self._derive.version()
        issued = issue(people, self._derive.keys, self._derive.padding, version)
        checked, wrong = checking.check(columns)
        fine = issued.card_id_lengths > 0
        fine[[one.row for one in wrong]] = False
        rows = np.flatnonzero(fine)
        electronic = new_cards(people, issued, rows, version)
        holder = Texts.of(electronic.id_type), Texts.of(electronic.id_number), Texts.of(electronic.name)
        number, chip, issuer, state, count, source = checked if len(rows) == len(fine) else checked.rows(rows)
        cards = CardTable(number, chip, issuer, *holder, state, count, source)
        refused = sorted([*wrong, *(RefusedField(*one) for one in issued.refused)])
        return Prepared(cards, rows, replace(electronic, origin=Origin.PHYSICAL_CARD, restores=False), refused)

    def link(self, prepared: Prepared, now: int, by: str) -> Linked:
        """Electronic cards for those who hold a card and have none. A cancelled one stays so: its holder's will."""
        cards = prepared.cards
        known, held = self._store.known(cards.number), np.flatnonzero(np.isin(cards.state, _HELD))
        due = np.array([place for place in held.tolist() if _due(cards[place], known)], np.intp) if known else held
        accounts, other_name = np.zeros(len(cards), np.int64), []
        if not len(due):
            return Linked(prepared, accounts, 0, [], not known)
        new = prepared.electronic if len(due) == len(cards) else prepared.electronic.of_rows(due)
        found = self._accounts.register_columns(new, now, by)
        accounts[due] = found.account
        for row, one in found.others.items():
            if one.outcome is Outcome.OTHER_NAME and not self._had_that_name(one, new.mindex[row].tobytes()):
                accounts[due[row]] = 0
                other_name.append(int(due[row]))
        return Linked(prepared, accounts, len(due) - len(found.others), sorted(other_name), not known)

    def _had_that_name(self, found: Registered, mindex: bytes) -> bool:
        former = self._accounts.card_of_mindex(mindex)
        return former is not None and former.account == found.account

    def keep(self, linked: Linked, taking: Taking) -> Sequence[Ruling]:
        """Card for card."""
        cards, accounts = linked.prepared.cards, linked.accounts
        if cards.number.ascending() or len(set(cards.number)) == len(cards):
            return self._store.keep(cards, accounts, taking, fresh=linked.fresh)
        return self._keep_repeated(list(cards), accounts, taking)

    def _keep_repeated(
        self, cards: Sequence[PhysicalCard], accounts: NDArray[np.int64], taking: Taking
    ) -> Sequence[Ruling]:
        """A number that stands there more than once: the version that stands against its others is kept."""
        best: dict[str, int] = {}
        for place, card in enumerate(cards):
            known = best.setdefault(card.number, place)
            if card == cards[known] or versions.stands(card, cards[known]):
                best[card.number] = place
        places = sorted(best.values())
        found = self._store.keep([cards[one] for one in places], accounts[places], taking)
        rulings = dict(zip(places, found, strict=True))
        return [
            rulings[place] if place in rulings else Ruling.SAME if card == cards[best[card.number]] else Ruling.OLDER
            for place, card in enumerate(cards)
        ]

    def take(self, people: PersonColumns, columns: CardColumns, taking: Taking) -> tuple[Linked, Sequence[Ruling]]:
        """All three steps, for at most `most` rows."""
        return self.finish(self.prepare(people, columns), taking)

    def finish(self, prepared: Prepared, taking: Taking) -> tuple[Linked, Sequence[Ruling]]:
        """The two that write."""
        linked = self.link(prepared, taking.now, taking.by)
        return linked, self.keep(linked, taking)


_HELD = [state for state in CardState if state.held]


def _due(card: PhysicalCard, known: Mapping[str, KeptCard]) -> bool:
    """Its holder may need an electronic card, by a version that will stand."""
    here = known.get(card.number)
    return here is None or (here.account is None if card == here.card else versions.stands(card, here.card))
