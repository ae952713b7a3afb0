"""SqlRegistryStore: registry.card.RegistryStore for SQLite and PostgreSQL.

Who writes is alone (a lock until the commit), so that places in the feed follow the commits: whoever has read up to a
place has missed nothing before it. What the two databases do differently stands in `CardRows`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Row, bindparam, func, select, text

from ehc.crypto.columns import Texts
from ehc.registry.card import (
    CardEvent,
    CardEventKind,
    CardState,
    Cursors,
    KeptCard,
    PhysicalCard,
    Ruling,
    Taking,
)
from ehc.registry.versions import stands
from ehc.store.database import reader, settle, upsert
from ehc.store.physical_card_rows import CardRows, PostgresCardRows, SqliteCardRows, Taken
from ehc.store.tables import physical_card_batches as batches
from ehc.store.tables import physical_card_events as events
from ehc.store.tables import physical_cards as cards
from ehc.store.tables import registry_peers as peers

LOCK = 0x65686333
"""Advisory, PostgreSQL: whoever writes physical cards."""

_ALONE = text("SELECT pg_advisory_xact_lock(:lock)")
_FIELDS = (*PhysicalCard._fields, "change", "account", "changed_at")
_REPLACE = (
    cards.update().where(cards.c.change == bindparam("at")).values({name: bindparam(f"new_{name}") for name in _FIELDS})
)
_LAST = select(func.coalesce(func.max(cards.c.change), 0))


class SqlRegistryStore:
    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)
        self.place = engine.url.render_as_string(hide_password=True)
        self.one_writer = engine.dialect.name == "sqlite"
        self._rows: CardRows = (PostgresCardRows if engine.dialect.name == "postgresql" else SqliteCardRows)()

    # --- coming in

    def known(self, numbers: Sequence[str]) -> Mapping[str, KeptCard]:
        """An export is in the order of its numbers: most batches lie where there is nothing yet."""
        if not numbers:
            return {}
        near = select(cards.c.number).where(cards.c.number.between(*_ends(numbers))).limit(1)
        with self._reader.connect() as connection:
            if connection.scalar(near) is None:
                return {}
            return {row.number: _kept(row) for row in self._rows.known(connection, numbers)}

    def keep(
        self, cards: Sequence[PhysicalCard], accounts: NDArray[np.int64], taking: Taking, *, fresh: bool = False
    ) -> Sequence[Ruling]:
        try:
            return self._keep(cards, accounts, taking, asking=not fresh)
        except Taken:  # somebody was faster; nothing was done
            return self._keep(cards, accounts, taking, asking=True)

    def _keep(
        self, given: Sequence[PhysicalCard], accounts: NDArray[np.int64], taking: Taking, *, asking: bool
    ) -> Sequence[Ruling]:
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(_ALONE, {"lock": LOCK})
            place = int(connection.scalar(_LAST) or 0)
            work = _Work(connection, self._rows, taking, place)
            rulings = work.sort(given, accounts) if asking else work.add(given, accounts)
            if taking.peer:
                _move(connection, taking.peer, taking.now, pulled=taking.cursor)
        return rulings

    # --- finding

    def find(self, number: str) -> KeptCard | None:
        query = select(cards).where(cards.c.number == number)
        with self._reader.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _kept(row)

    def of_account(self, account: int) -> Sequence[KeptCard]:
        with self._reader.connect() as connection:
            found = connection.execute(select(cards).where(cards.c.account == account).order_by(cards.c.number))
            return [_kept(row) for row in found]

    def history(self, number: str) -> Sequence[CardEvent]:
        query = select(cards).where(cards.c.number == number)
        with self._reader.connect() as connection:
            card = connection.execute(query).one_or_none()
            if card is None:
                return []
            later = connection.execute(select(events).where(events.c.number == number).order_by(events.c.change)).all()
            before = select(batches).where(batches.c.first <= card.born).order_by(batches.c.first.desc()).limit(1)
            return [_first(connection.execute(before).one(), card, later), *map(_event, later)]

    def feed(self, after: int, limit: int) -> Sequence[tuple[int, PhysicalCard]]:
        query = select(cards).where(cards.c.change > after).order_by(cards.c.change).limit(limit)
        with self._reader.connect() as connection:
            return [(row.change, _card(row)) for row in connection.execute(query)]

    def within(self, after: str, until: str, limit: int) -> Sequence[PhysicalCard]:
        query = select(cards).where(cards.c.number > after).order_by(cards.c.number).limit(limit)
        if until:
            query = query.where(cards.c.number <= until)
        with self._reader.connect() as connection:
            return [_card(row) for row in connection.execute(query)]

    def count(self) -> int:
        with self._reader.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(cards)) or 0)

    def settle(self) -> None:
        settle(self._engine)

    # --- synchronisations

    def cursors(self, peer: str) -> Cursors:
        with self._reader.connect() as connection:
            row = connection.execute(select(peers.c.pulled, peers.c.pushed).where(peers.c.peer == peer)).one_or_none()
        return Cursors() if row is None else Cursors(row.pulled, row.pushed)

    def pushed(self, peer: str, place: int, now: int) -> None:
        with self._engine.begin() as connection:
            _move(connection, peer, now, pushed=place)

    def restart(self, peer: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(peers.delete().where(peers.c.peer == peer))


class _Work:
    """One transaction's new cards, and what takes the place of cards that are there."""

    def __init__(self, connection: Connection, rows: CardRows, taking: Taking, last: int) -> None:
        self._connection, self._rows, self._taking, self._place = connection, rows, taking, last
        self._newer: list[dict[str, Any]] = []  # parameters of _REPLACE
        self._events: list[dict[str, Any]] = []

    def sort(self, given: Sequence[PhysicalCard], accounts: NDArray[np.int64]) -> list[Ruling]:
        known = {row.number: row for row in self._rows.known(self._connection, [card.number for card in given])}
        rulings = [
            Ruling.NEW if (here := known.get(card.number)) is None else self._ruling(card, account, here)
            for card, account in zip(given, accounts.tolist(), strict=True)
        ]
        if self._newer:
            self._connection.execute(_REPLACE, self._newer)
        if self._events:
            self._connection.execute(events.insert(), self._events)
        new = [place for place, ruling in enumerate(rulings) if ruling is Ruling.NEW]
        self.add([given[place] for place in new], accounts[new])
        return rulings

    def add(self, given: Sequence[PhysicalCard], accounts: NDArray[np.int64]) -> list[Ruling]:
        """Raises Taken where one is there."""
        if not given:
            return []
        taking, first = self._taking, self._place + 1
        self._rows.add(self._connection, given, accounts, first, taking.now)
        batch = {"first": first, "last": self._place + len(given), "at": taking.now}
        words = {"kind": taking.kind.value, "by": taking.by, "note": taking.note}
        self._connection.execute(batches.insert().values(batch | words))
        return [Ruling.NEW] * len(given)

    def _ruling(self, card: PhysicalCard, account: int, here: Row[Any]) -> Ruling:
        ours = _card(here)
        if card == ours:
            if account and account != here.account:
                own = cards.update().where(cards.c.change == here.change)
                self._connection.execute(own.values(account=account))
            return Ruling.SAME
        if not stands(card, ours):
            return Ruling.OLDER
        self._replace(card, here, ours, account)
        return Ruling.NEWER

    def _replace(self, card: PhysicalCard, here: Row[Any], ours: PhysicalCard, account: int) -> None:
        self._place += 1
        stays = here.account if card.holder == ours.holder else None
        again = card == ours._replace(version=card.version)  # another version says the same: nothing happened to it
        values = (*card, self._place, account or stays, here.changed_at if again else self._taking.now)
        named = {f"new_{name}": value for name, value in zip(_FIELDS, values, strict=True)}
        self._newer.append({"at": here.change, **named})
        if not again:
            self._events.append(self._event(card, ours))

    def _event(self, card: PhysicalCard, ours: PhysicalCard) -> dict[str, Any]:
        return {
            "number": card.number,
            "change": self._place,
            "at": self._taking.now,
            "kind": self._taking.kind.value,
            "state_before": ours.state,
            "state_after": card.state,
            "version": card.version,
            "source": card.source,
            "by": self._taking.by,
            "note": self._taking.note,
        }


def _move(connection: Connection, peer: str, now: int, **to: Any) -> None:
    values = {"peer": peer, "pulled": "", "pushed": 0, "at": now} | to
    insert = upsert(connection)(peers).values(values)
    connection.execute(insert.on_conflict_do_update(index_elements=["peer"], set_={**to, "at": now}))


def _ends(numbers: Sequence[str]) -> tuple[str, str]:
    """The least and the greatest."""
    if isinstance(numbers, Texts) and numbers.ascending():
        return numbers[:1][0], numbers[-1:][0]
    return min(numbers), max(numbers)


def _card(row: Any) -> PhysicalCard:
    holder = row.id_type, row.id_number, row.name
    return PhysicalCard(row.number, row.chip, row.issuer, *holder, CardState(row.state), row.version, row.source)


def _kept(row: Any) -> KeptCard:
    return KeptCard(_card(row), row.account, row.changed_at)


def _first(batch: Row[Any], card: Row[Any], later: Sequence[Row[Any]]) -> CardEvent:
    """Its version and source are known while nothing took its place."""
    state = CardState(later[0].state_before if later else card.state)
    version, source = (card.version, card.source) if card.change == card.born else (None, None)
    return CardEvent(batch.at, CardEventKind(batch.kind), None, state, version, source, batch.by, batch.note)


def _event(row: Row[Any]) -> CardEvent:
    states = CardState(row.state_before), CardState(row.state_after)
    return CardEvent(row.at, CardEventKind(row.kind), *states, row.version, row.source, row.by, row.note)
