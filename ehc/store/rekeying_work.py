"""The work of a rekeying on a page of accounts: their other ids made, verified, and one of two cleared away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, delete, select

from ehc.cards.rekeying import CLEARING, Accounts, Derive, Ids, Phase
from ehc.store.account_keys import card_key, key_of_bytes, prefix_keys
from ehc.store.rekeying_pages import Fold, Key, Other, Pages, Row, Stray
from ehc.store.tables import aliases, rekeying_due


class Held(NamedTuple):
    """The open rekeying, as a step finds it."""

    number: int
    old_version: int
    new_version: int
    present: int
    phase: Phase
    cursor: int
    key_cursor: int | None
    wrong: int

    def other_than(self, version: int) -> int | None:
        """The version that an account is to have an id under beside this one. Before the flip none of the old one is
        given to who has one of the new already; after it, so that there is a way back."""
        if version != self.new_version:
            return self.new_version
        return self.old_version if self.phase is Phase.GRACE else None

    def ended(self, version: int | None) -> bool:
        """Ids of this version find nobody any more; None: of none that is known."""
        if version is None or self.phase not in CLEARING:
            return False
        return (version == self.new_version) == (self.phase is Phase.ROLL_BACK)


class Desk(NamedTuple):
    """What the work needs: a transaction, its database's ways, the rekeying, and who derives."""

    connection: Connection
    pages: Pages
    held: Held
    derive: Derive

    def put(self, rows: Sequence[Row], versions: Sequence[int], *, with_keys: bool = True) -> Ids:
        """The ids of these accounts under these versions, and keys that find them."""
        ids = self._derived(rows, versions)
        made = _made(rows, versions, ids)
        self.pages.put(self.connection, made)
        if with_keys:
            self.pages.add_keys(self.connection, _keys(made, ids))
        return ids

    def wrong(self, rows: Sequence[Row]) -> list[int]:
        """Accounts whose new id is not as it should be, or does not find them; not those that are due."""
        versions = [self.held.new_version] * len(rows)
        ids = self._derived(rows, versions)
        made = _made(rows, versions, ids)
        if not made:
            return []
        others = set(made).difference(self.pages.others(self.connection, rows[0][0], rows[-1][0]))
        wrong = {account for account, _, _ in others} | self.pages.missing(self.connection, _keys(made, ids))
        return [account for account in sorted(wrong) if not self._is_due(account)]

    def _derived(self, rows: Sequence[Row], versions: Sequence[int]) -> Ids:
        account, id_type, id_number, name, key_version, card_id = zip(*rows, strict=True) if rows else ((),) * 6
        numbers = np.array(account, np.int64), np.array(key_version, np.int64), np.array(versions, np.int64)
        return self.derive(Accounts(numbers[0], id_type, id_number, name, numbers[1], card_id), numbers[2])

    def _is_due(self, account: int) -> bool:
        covers = (rekeying_due.c.first_account <= account) & (rekeying_due.c.last_account >= account)
        return self.connection.scalar(select(rekeying_due.c.due).where(covers).limit(1)) is not None

    def do_due(self, rows: Sequence[Row]) -> None:
        """Accounts that were registered or renamed since the work passed them."""
        if self.held.phase in CLEARING:
            late = [row for row in rows if self.held.ended(row[4])]
            self.put(late, [self.held.present] * len(late))
            self.settle(rows)
        else:
            wanted = [(row, other) for row in rows if (other := self.held.other_than(row[4])) is not None]
            self.put([row for row, _ in wanted], [other for _, other in wanted])

    def settle(self, rows: Sequence[Row]) -> None:
        """Neighbours keep the id of the present version alone; who has none of it keeps what there is."""
        if not rows:
            return
        first, last = rows[0][0], rows[-1][0]
        others = {
            account: (version, card_id) for account, version, card_id in self.pages.others(self.connection, first, last)
        }
        folds: list[Fold] = []
        gone: list[Key] = []
        for account, _, _, _, version, own in rows:
            other_version, other = others.get(account, (None, own))
            kept, lost = own, other
            if other_version == self.held.present != version:
                kept, lost = other, own
                folds.append((account, own, other))
            if key_of_bytes(kept) != key_of_bytes(lost):
                gone.append((key_of_bytes(lost), account))
        self.pages.fold(self.connection, folds, self.held.present)
        self.pages.drop(self.connection, first, last)
        self.pages.drop_keys(self.connection, gone)
        self.settle_aliases(first, last)

    def settle_page(self, first: int, last: int) -> None:
        """As settle, of all accounts of this page; their keys are left to `sweep`."""
        self.pages.settle(self.connection, first, last, self.held.present)
        self.settle_aliases(first, last)

    def sweep(self, after: int, last: int) -> None:
        """Keys that nothing of their account has any more."""
        strays = self.pages.strays(self.connection, after, last)
        self.pages.drop_keys(self.connection, [stray[:2] for stray in strays if not self._is_key(stray)])

    def _is_key(self, stray: Stray) -> bool:
        """Of an id that keys are a hash of, or of an alias."""
        key, account, has_aliases, card_id = stray
        if len(card_id) not in (16, 32) and key == key_of_bytes(card_id):
            return True
        return bool(has_aliases) and key in {card_key(row.value.decode()) for row in self._aliases(account, account)}

    def _aliases(self, first: int, last: int) -> Sequence[Any]:
        cards = (aliases.c.kind == "card") & aliases.c.account.between(first, last)
        return self.connection.execute(select(aliases).where(cards)).all()

    def settle_aliases(self, first: int, last: int) -> None:
        """Former ids of the version that ended go with it; the others are found as before."""
        found = self._aliases(first, last)
        lost = [row for row in found if self.held.ended(row.key_version)]
        for row in lost:
            of = (aliases.c.account == row.account) & (aliases.c.kind == "card") & (aliases.c.value == row.value)
            self.connection.execute(delete(aliases).where(of))
        kept = [row for row in found if not self.held.ended(row.key_version)]
        self.pages.drop_keys(self.connection, [(card_key(row.value.decode()), row.account) for row in lost])
        self.pages.add_keys(self.connection, [(card_key(row.value.decode()), row.account) for row in kept])


def _made(rows: Sequence[Row], versions: Iterable[int], ids: Ids) -> list[Other]:
    """A row for each account whose document gives an id."""
    text, lengths = np.ascontiguousarray(ids.card_id).tobytes(), ids.lengths.tolist()
    given = zip(rows, versions, range(0, len(text), 32), lengths, strict=True)
    return [(row[0], version, text[at : at + length]) for row, version, at, length in given if length]


def _keys(made: Sequence[Other], ids: Ids) -> list[Key]:
    """Of derived ids."""
    keys = prefix_keys(ids.card_id[ids.lengths > 0]).tolist()
    return list(zip(keys, (account for account, _, _ in made), strict=True))
