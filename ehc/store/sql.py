"""SqlCardStore: accounts on SQLAlchemy Core, one transaction a method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Connection, Engine, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ehc.errors import Conflict, NotFound
from ehc.model import AccountState, Card, Identity
from ehc.store.database import READING, require_current
from ehc.store.tables import account_events, accounts


def _insert(connection: Connection) -> Callable[..., Any]:
    """INSERT that knows ON CONFLICT, which is spelled alike in both dialects."""
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def _card(row: Row[Any]) -> Card:
    identity = Identity(row.id_type, row.id_number, row.name)
    state = AccountState(row.state)
    return Card(row.account, identity, row.mindex, row.card_id, row.key_version, state, row.registered_at)


def _find(connection: Connection, column: Column[Any], value: object) -> Card | None:
    row = connection.execute(select(accounts).where(column == value)).one_or_none()
    return None if row is None else _card(row)


def _find_for_update(connection: Connection, card_id: str) -> Card:
    row = connection.execute(select(accounts).where(accounts.c.card_id == card_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("no card has this card id")
    return _card(row)


def _add_event(
    connection: Connection, account: int, before: AccountState | None, after: AccountState, now: int
) -> None:
    connection.execute(account_events.insert().values(account=account, at=now, state_before=before, state_after=after))


class SqlCardStore:
    """Accounts (ports.CardStore)."""

    def __init__(self, engine: Engine, changing: Callable[[Card], None] = lambda _: None) -> None:
        """changing: told of a card before and after it changes (ports.HotState)."""
        self._engine, self._changing = engine, changing
        self._reader = engine.execution_options(**READING)

    def register(
        self, identity: Identity, mindex: bytes, card_id: str, key_version: int, now: int
    ) -> tuple[Card, bool]:
        row = {"mindex": mindex, "card_id": card_id, "key_version": key_version, "registered_at": now}
        person = {"id_type": identity.id_type, "id_number": identity.id_number, "name": identity.name}
        with self._engine.begin() as connection:
            new = self._add(connection, row | person, now)
            if not new:
                self._restore(connection, mindex, now)
            card = _find(connection, accounts.c.mindex, mindex)
        if card is None:
            raise Conflict("this card id belongs to another account")
        if not new:
            self._changing(card)  # it may have been restored
        return card, new

    def _add(self, connection: Connection, row: dict[str, object], now: int) -> bool:
        insert = _insert(connection)(accounts).values(state=AccountState.NORMAL, **row)
        account = connection.scalar(insert.on_conflict_do_nothing().returning(accounts.c.account))
        if account is None:
            return False
        _add_event(connection, account, None, AccountState.NORMAL, now)
        return True

    def _restore(self, connection: Connection, mindex: bytes, now: int) -> None:
        cancelled = (accounts.c.mindex == mindex) & (accounts.c.state == AccountState.CANCELLED)
        restore = update(accounts).where(cancelled).values(state=AccountState.NORMAL).returning(accounts.c.account)
        account = connection.scalar(restore)
        if account is not None:
            _add_event(connection, account, AccountState.CANCELLED, AccountState.NORMAL, now)

    def card(self, card_id: str) -> Card | None:
        with self._reader.connect() as connection:
            return _find(connection, accounts.c.card_id, card_id)

    def card_of_account(self, account: int) -> Card | None:
        with self._reader.connect() as connection:
            return _find(connection, accounts.c.account, account)

    def card_of_mindex(self, mindex: bytes) -> Card | None:
        with self._reader.connect() as connection:
            return _find(connection, accounts.c.mindex, mindex)

    def set_state(self, card_id: str, state: AccountState, now: int) -> Card:
        with self._engine.begin() as connection:
            card = _find_for_update(connection, card_id)
            if card.state is not state:
                connection.execute(update(accounts).where(accounts.c.account == card.account).values(state=state))
                self._changing(card)
                _add_event(connection, card.account, card.state, state, now)
        self._changing(card)
        return replace(card, state=state)

    def ready(self) -> None:
        require_current(self._engine)
