"""SqlAccountStore: cards.account.AccountStore on SQLAlchemy Core, one transaction a method, for SQLite and PostgreSQL.

What the two do differently stands in `Bulk`: bulk_sqlite.py and bulk_postgres.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, delete, select, text

from ehc.cards.account import (
    Change,
    Event,
    EventKind,
    NewCard,
    NewCardColumns,
    Outcome,
    Registered,
    RegisteredColumns,
)
from ehc.errors import Conflict, NotFound, Unavailable
from ehc.model import AccountState, Card, PersonKind
from ehc.store import account_rows as rows
from ehc.store import bulk, rekeyed_rows
from ehc.store.account_keys import document_key
from ehc.store.account_rows import Finder
from ehc.store.bulk import Done
from ehc.store.bulk_postgres import PostgresBulk
from ehc.store.bulk_sqlite import SqliteBulk
from ehc.store.database import looking_up, reader, require_current, upsert
from ehc.store.tables import account_details, account_events, accounts, family, registrations

T = TypeVar("T")
RACES = 20
"""How often a registration that lost a race is tried again; it then finds what the other one made."""

CHILD_ENDS = {EventKind.EXCHANGED: PersonKind.ORDINARY}


class Bulk(Finder, Protocol):
    """What a database does in its own way."""

    def register_columns(self, new: NewCardColumns, now: int, by: str) -> Done | None:
        """None: a race was lost, and nothing was done."""
        ...


class _RaceLost(Exception):
    """Another transaction made what this one was making; what it made can be read now."""


class SqlAccountStore:
    """changing: told of an account before its change is committed and after (ports.HotState)."""

    def __init__(self, engine: Engine, changing: Callable[[Card], None] = lambda _: None) -> None:
        self._engine, self._reader, self._changing = engine, reader(engine), changing
        self._looking_up = looking_up(engine)
        self._bulk: Bulk = (PostgresBulk if engine.dialect.name == "postgresql" else SqliteBulk)(engine, changing)

    def register(self, new: NewCard, now: int, by: str = "") -> Registered:
        found = self._raced(lambda connection: self._register(connection, new, now, by))
        self._tell([found])
        return found

    def register_batch(self, new: Sequence[NewCard], now: int, by: str = "") -> Sequence[Registered]:
        order = sorted(range(len(new)), key=lambda row: _key(new[row]))  # everywhere the same: no two batches deadlock

        def work(connection: Connection) -> list[Registered]:
            done = {row: self._register(connection, new[row], now, by) for row in order}
            return [done[row] for row in range(len(new))]

        found = self._raced(work)
        self._tell(found)
        return found

    def _tell(self, found: Iterable[Registered]) -> None:
        """Of the accounts that are in another state since the commit."""
        for one in found:
            if one.card is not None and one.outcome is Outcome.RESTORED:
                self._changing(one.card)

    def register_columns(self, new: NewCardColumns, now: int, by: str = "") -> RegisteredColumns:
        for _ in range(RACES):
            done = self._bulk.register_columns(new, now, by)
            if done is not None:
                return self._with_collided(new, done, now, by)
        raise Unavailable("others keep registering the same people: try again")

    def _with_collided(self, new: NewCardColumns, done: Done, now: int, by: str) -> RegisteredColumns:
        account, others = done.registered.account, dict(done.registered.others)
        for row in done.collided:
            found = self.register(bulk.one_card(new, row), now, by)
            account[row] = found.account
            if found.outcome is not Outcome.CREATED:
                others[row] = found
        self._tell(others.values())
        return RegisteredColumns(account, others)

    def _raced(self, work: Callable[[Connection], T]) -> T:
        for _ in range(RACES):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except _RaceLost:
                continue
        raise Unavailable("others keep registering the same person: try again")

    def _register(self, connection: Connection, new: NewCard, now: int, by: str) -> Registered:
        one = new.derived.identity
        known, key = rows.of_document(connection, self._bulk, one.id_type, one.id_number)
        if known is None:
            return self._create(connection, new, key, now, by)
        card = rows.fetch(connection, known.account, lock=True) or known
        if card.identity.name != one.name:
            return Registered(Outcome.OTHER_NAME, card.account, None)
        if card.state is not AccountState.CANCELLED or card.merged_into or not new.restores:
            return Registered(Outcome.EXISTING, card.account, card)
        self._changing(card)
        return Registered(Outcome.RESTORED, card.account, rows.restore(connection, card, now, by))

    def _create(self, connection: Connection, new: NewCard, key: int, now: int, by: str) -> Registered:
        made = new.derived
        values = rows.columns_of(made) | {
            "registered_at": now,
            "state": AccountState.NORMAL,
            "kind": new.kind,
            "person": PersonKind.CHILD if new.guardian else PersonKind.ORDINARY,
            "codes_from": 0,
            "deadline": new.deadline,
            "guardian": new.guardian,
            "birth_order": new.birth_order,
            "origin": new.origin,
        }
        account = connection.scalar(accounts.insert().values(**values).returning(accounts.c.account))
        if not rows.take_key(connection, key, account):
            raise _RaceLost
        self._refuse_taken(connection, made.card_id, account)
        rows.add_keys(connection, account, made.mindex, made.card_id)
        rekeyed_rows.note(connection, account, account)
        rows.add_event(connection, account, EventKind.REGISTERED, (None, AccountState.NORMAL), now=now, by=by)
        rows.set_details(connection, account, new.details)
        return Registered(Outcome.CREATED, account, _require(rows.fetch(connection, account)))

    def _refuse_taken(self, connection: Connection, card_id: str, account: int | None) -> None:
        holder = rows.of_card_id(connection, self._bulk, card_id)
        if holder is not None and holder.account != account:
            raise Conflict("this card id belongs to another account")

    def apply(self, account: int, change: Change, now: int) -> Card:
        card = self._raced(lambda connection: self._apply(connection, account, change, now))
        self._changing(card)
        return card

    def _apply(self, connection: Connection, account: int, change: Change, now: int) -> Card:
        card = _require(rows.fetch(connection, account, lock=True))
        if card.state not in change.allowed:
            raise Conflict(f"the account is {card.state.name.lower()}: this may not happen to it now")
        self._changing(card)
        if change.derived is not None:
            self._re_derive(connection, card, change, now)
        state = card.state if change.state is None else change.state
        rows.set_columns(connection, account, _changed(change))
        rows.set_details(connection, account, change.details or {})
        rows.add_event(connection, account, change.event, (card.state, state), now=now, by=change.by, note=change.note)
        return _require(rows.fetch(connection, account))

    def _re_derive(self, connection: Connection, card: Card, change: Change, now: int) -> None:
        """Another document or name: the old ones find the account as before."""
        derived = change.derived
        assert derived is not None  # noqa: S101  the caller looked
        old, new = card.identity, derived.identity
        if (old.id_type, old.id_number) != (new.id_type, new.id_number):
            self._take_document(connection, new.id_type, new.id_number, card.account)
            rows.add_alias(connection, card.account, "document", f"{old.id_type}{old.id_number}".encode(), now)
        self._refuse_taken(connection, derived.card_id, card.account)
        rows.add_alias(connection, card.account, "mindex", card.mindex, now)
        for former in rows.all_ids(connection, card.account):
            rows.add_alias(connection, card.account, "card", former.card_id.encode(), now, former.key_version)
            rows.add_keys(connection, card.account, card.mindex, former.card_id)  # a rekeying may not have come so far
        rows.set_columns(connection, card.account, rows.columns_of(derived))
        rows.add_keys(connection, card.account, derived.mindex, derived.card_id)
        rekeyed_rows.renew(connection, card.account)

    def _take_document(self, connection: Connection, id_type: str, id_number: str, account: int) -> None:
        holder, key = rows.of_document(connection, self._bulk, id_type, id_number)
        if holder is not None and holder.account != account:
            raise Conflict("this document belongs to another account")
        if holder is None and not rows.take_key(connection, key, account):
            raise _RaceLost

    def card(self, card_id: str) -> Card | None:
        return self._looked_up(lambda connection: rows.of_card_id(connection, self._bulk, card_id))

    def card_of_account(self, account: int) -> Card | None:
        return self._looked_up(lambda connection: rows.fetch(connection, account))

    def cards_of_accounts(self, accounts: Sequence[int]) -> Mapping[int, Card]:
        return self._looked_up(lambda connection: rows.fetch_many(connection, accounts))

    def card_of_mindex(self, mindex: bytes) -> Card | None:
        return self._looked_up(lambda connection: rows.of_mindex(connection, self._bulk, mindex))

    def _looked_up(self, question: Callable[[Connection], T]) -> T:
        """Once more, where the connection was one from before a restart of the server."""
        with self._looking_up.connect() as connection:
            try:
                return question(connection)
            except Unavailable:
                if not connection.invalidated:
                    raise
        with self._looking_up.connect() as connection:
            return question(connection)

    def card_of_document(self, id_type: str, id_number: str) -> Card | None:
        with self._reader.connect() as connection:
            return rows.of_document(connection, self._bulk, id_type, id_number)[0]

    def cards_of_phone(self, forms: Collection[str], limit: int) -> Sequence[Card]:
        of = account_details.c
        its = (of.field == text("'phone'")) & of.value.in_(sorted(forms))  # as the index says it
        with self._reader.connect() as connection:
            found = connection.scalars(select(of.account).where(its).distinct().order_by(of.account).limit(limit)).all()
            return list(rows.fetch_many(connection, found).values())

    def children(self, guardian: int) -> Sequence[Card]:
        query = rows.CARDS.where(accounts.c.guardian == guardian).order_by(accounts.c.account)
        with self._reader.connect() as connection:
            return [rows.card_of(row) for row in connection.execute(query)]

    def family(self, account: int) -> Sequence[tuple[int, str]]:
        query = select(family.c.member, family.c.relation).where(family.c.account == account)
        with self._reader.connect() as connection:
            return [(row.member, row.relation) for row in connection.execute(query.order_by(family.c.member))]

    def set_family(self, account: int, member: int, relation: str | None, now: int, by: str = "") -> None:
        with self._engine.begin() as connection:
            card = _require(rows.fetch(connection, account, lock=True))
            _require(rows.fetch(connection, member))
            _set_relation(connection, account, member, relation)
            note = f"family: a member {'less' if relation is None else 'set'}"
            rows.add_event(connection, account, EventKind.MODIFIED, (card.state, card.state), now=now, by=by, note=note)

    def details(self, account: int) -> Mapping[str, str]:
        of = account_details.c
        with self._reader.connect() as connection:
            found = connection.execute(select(of.field, of.value).where(of.account == account).order_by(of.field))
            return {row.field: row.value for row in found}

    def history(self, account: int) -> Iterator[Event]:
        of = account_events.c
        with self._reader.connect() as connection:
            first = _registration(connection, account)
            later = connection.execute(select(account_events).where(of.account == account).order_by(of.event))
            events = [_event(row) for row in later]
        yield from first
        yield from events

    def add_alias(self, account: int, card_id: str, now: int) -> None:
        self._raced(lambda connection: self._add_alias(connection, account, card_id, now))

    def _add_alias(self, connection: Connection, account: int, card_id: str, now: int) -> None:
        card = _require(rows.fetch(connection, account, lock=True))
        self._refuse_taken(connection, card_id, account)
        rows.add_alias(connection, account, "card", card_id.encode(), now)
        rows.add_keys(connection, account, card.mindex, card_id)

    def ready(self) -> None:
        require_current(self._engine)


def _key(new: NewCard) -> int:
    return document_key(new.derived.identity.id_type, new.derived.identity.id_number)


def _changed(change: Change) -> dict[str, Any]:
    fields = ("state", "kind", "deadline", "guardian", "merged_into", "codes_from")
    values: dict[str, Any] = {name: getattr(change, name) for name in fields if getattr(change, name) is not None}
    values |= {name: None for name in ("deadline", "guardian", "merged_into") if values.get(name) == 0}
    return values | ({"person": CHILD_ENDS[change.event]} if change.event in CHILD_ENDS else {})


def _set_relation(connection: Connection, account: int, member: int, relation: str | None) -> None:
    row = (family.c.account == account) & (family.c.member == member)
    connection.execute(delete(family).where(row))
    if relation is not None:
        insert = upsert(connection)(family).values(account=account, member=member, relation=relation)
        connection.execute(insert)


def _registration(connection: Connection, account: int) -> list[Event]:
    """The first event of an account that was registered with others."""
    of = registrations.c
    before = select(registrations).where(of.first_account <= account).order_by(of.first_account.desc()).limit(1)
    row = connection.execute(before).one_or_none()
    if row is None or row.last_account < account:
        return []
    return [Event(account, row.at, EventKind.REGISTERED, None, AccountState.NORMAL, row.by, "")]


def _event(row: Any) -> Event:
    before = None if row.state_before is None else AccountState(row.state_before)
    return Event(row.account, row.at, EventKind(row.kind), before, AccountState(row.state_after), row.by, row.note)


def _require(card: Card | None) -> Card:
    if card is None:
        raise NotFound("no such account")
    return card
