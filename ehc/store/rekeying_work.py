"""The work of a rekeying on a page of accounts: their other ids made, verified, and one of two cleared away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, select

from ehc.cards.rekeying import CLEARING, Accounts, Derive, Ids, Phase
from ehc.store.account_keys import card_key, key_of_bytes, prefix_keys
from ehc.store.rekeying_pages import Fold, KeyRows, Others, Pages, Stray
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

    def put(self, rows: Accounts, versions: NDArray[np.int64], *, with_keys: bool = True) -> Ids:
        """The ids of these accounts under these versions, and keys that find them."""
        ids = self.derive(rows, versions)
        made = _made(rows, versions, ids)
        self.pages.put(self.connection, made)
        if with_keys:
            self.pages.add_keys(self.connection, _keys(made))
        return ids

    def wrong(self, rows: Accounts) -> list[int]:
        """Accounts whose new id is not as it should be, or does not find them; not those that are due."""
        versions = np.full(len(rows), self.held.new_version, np.int64)
        made = _made(rows, versions, self.derive(rows, versions))
        if not len(made):
            return []
        stored = self.pages.others(self.connection, int(rows.account[0]), int(rows.account[-1]))
        wrong = {*made.account[_differs(made, stored)].tolist()}
        wrong.update(self.pages.missing(self.connection, _keys(made)).tolist())
        return [account for account in sorted(wrong) if not self._is_due(account)]

    def _is_due(self, account: int) -> bool:
        covers = (rekeying_due.c.first_account <= account) & (rekeying_due.c.last_account >= account)
        return self.connection.scalar(select(rekeying_due.c.due).where(covers).limit(1)) is not None

    def do_due(self, rows: Accounts) -> None:
        """Accounts that were registered or renamed since the work passed them."""
        own = rows.key_version.tolist()
        if self.held.phase in CLEARING:
            late = rows.some(np.array([self.held.ended(version) for version in own], np.bool_))
            self.put(late, np.full(len(late), self.held.present, np.int64))
            self.settle(rows)
        else:
            others = np.array([self.held.other_than(version) or 0 for version in own], np.int64)
            self.put(rows.some(others > 0), others[others > 0])

    def settle(self, rows: Accounts) -> None:
        """Neighbours keep the id of the present version alone; who has none of it keeps what there is."""
        if not len(rows):
            return
        first, last = int(rows.account[0]), int(rows.account[-1])
        stored = self.pages.others(self.connection, first, last)
        given = zip(stored.account.tolist(), stored.key_version.tolist(), stored.card_id.whole(), strict=True)
        others = {account: (version, card_id) for account, version, card_id in given}
        folds: list[Fold] = []
        gone: list[tuple[int, int]] = []
        for account, version, own in zip(
            rows.account.tolist(), rows.key_version.tolist(), rows.card_id.whole(), strict=True
        ):
            other_version, other = others.get(account, (None, own))
            kept, lost = own, other
            if other_version == self.held.present != version:
                kept, lost = other, own
                folds.append((account, own, other))
            if key_of_bytes(kept) != key_of_bytes(lost):
                gone.append((key_of_bytes(lost), account))
        self.pages.fold(self.connection, folds, self.held.present)
        self.pages.drop(self.connection, first, last)
        self.pages.drop_keys(self.connection, KeyRows.of(gone))
        self.settle_aliases(first, last)

    def settle_page(self, first: int, last: int) -> None:
        """As settle, of all accounts of this page; their keys are left to `sweep`."""
        self.pages.settle(self.connection, first, last, self.held.present)
        self.settle_aliases(first, last)

    def sweep(self, after: int, last: int) -> None:
        """Keys that nothing of their account has any more."""
        strays = self.pages.strays(self.connection, after, last)
        gone = [stray[:2] for stray in strays if not self._is_key(stray)]
        self.pages.drop_keys(self.connection, KeyRows.of(gone))

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
        self.pages.drop_keys(self.connection, _alias_keys(lost))
        self.pages.add_keys(self.connection, _alias_keys(kept))


def _made(rows: Accounts, versions: NDArray[np.int64], ids: Ids) -> Others:
    """A row for each account whose document gives an id."""
    given = ids.made.lengths > 0
    return Others(rows.account[given], versions[given], ids.made.some(given))


def _keys(made: Others) -> KeyRows:
    """Of derived ids."""
    return KeyRows(prefix_keys(made.card_id.card_id), made.account)


def _differs(made: Others, stored: Others) -> NDArray[np.bool_]:
    """What was made is not what is stored."""
    if not len(stored):
        return np.ones(len(made), np.bool_)
    at = np.minimum(np.searchsorted(stored.account, made.account), len(stored) - 1)
    its = stored.card_id.some(at)
    unlike = (stored.account[at] != made.account) | (stored.key_version[at] != made.key_version)
    return np.asarray(unlike | made.card_id.differs(its), np.bool_)


def _alias_keys(rows: Sequence[Any]) -> KeyRows:
    return KeyRows.of([(card_key(row.value.decode()), row.account) for row in rows])
