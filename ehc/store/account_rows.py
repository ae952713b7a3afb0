"""Accounts as rows: reading, finding and writing them inside a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Connection, Select, Table, delete, func, literal_column, select, update

from ehc.cards.account import Derived, EventKind
from ehc.cards.rekeying import CLEARING, Phase
from ehc.errors import InputError
from ehc.model import AccountState, Card, CardKind, Identity, Origin, PersonKind, VersionedId
from ehc.store.account_keys import card_key, document_key, mindex_key
from ehc.store.database import upsert
from ehc.store.tables import (
    account_details,
    account_events,
    accounts,
    aliases,
    card_keys,
    document_keys,
    mindex_keys,
    rekeyed_cards,
    rekeyings,
)

CARDS: Select[Any] = (
    select(
        accounts,
        rekeyed_cards.c.card_id.label("other_id"),
        rekeyed_cards.c.key_version.label("other_version"),
        rekeyings.c.present,
        rekeyings.c.phase,
    )
    .outerjoin_from(accounts, rekeyed_cards, rekeyed_cards.c.account == accounts.c.account)
    .outerjoin(rekeyings, rekeyings.c.open == literal_column("1"))
)
"""Rows of card_of: one statement, so that every reader sees a rekeying flip at one moment."""

_ENDED = (
    select(rekeyings.c.rekeying)
    .where(rekeyings.c.open == 1)
    .where(
        ((rekeyings.c.phase == Phase.RETIRE) & (rekeyings.c.new_version != aliases.c.key_version))
        | ((rekeyings.c.phase == Phase.ROLL_BACK) & (rekeyings.c.new_version == aliases.c.key_version))
    )
)
"""The version of an alias finds nobody any more."""


class Finder(Protocol):
    """Whose key this is, in a look-up table and wherever else the database keeps some."""

    def accounts_of(self, connection: Connection, table: Table, key: int) -> Sequence[int]: ...

    def cards_of(self, connection: Connection, table: Table, key: int) -> Sequence[Card]: ...


def card_of(row: Any) -> Card:
    """row: of CARDS, its columns by name."""
    present, other = _ids(row)
    return Card(
        row.account,
        Identity(row.id_type, row.id_number, row.name),
        row.mindex,
        present.card_id,
        present.key_version,
        AccountState(row.state),
        row.registered_at,
        CardKind(row.kind),
        PersonKind(row.person),
        row.deadline,
        row.guardian,
        row.birth_order,
        row.merged_into,
        row.codes_from,
        other,
        Origin(row.origin),
    )


def _ids(row: Any) -> tuple[VersionedId, VersionedId | None]:
    """The id of the present version, and the other one while it is good."""
    own = VersionedId(row.card_id.hex().upper(), row.key_version)
    if row.other_id is None or row.present is None:
        return own, None
    other = VersionedId(row.other_id.hex().upper(), row.other_version)
    if other.key_version == row.present != own.key_version:
        own, other = other, own
    return own, None if row.phase in CLEARING else other


def fetch(connection: Connection, account: int, *, lock: bool = False) -> Card | None:
    if lock and connection.dialect.name == "postgresql":  # first: what is joined to a locked row may be older than it
        connection.execute(select(accounts.c.account).where(accounts.c.account == account).with_for_update())
    row = connection.execute(CARDS.where(accounts.c.account == account)).one_or_none()
    return None if row is None else card_of(row)


def all_ids(connection: Connection, account: int) -> list[VersionedId]:
    """Of the account's row and beside it, whether they find it now or not."""
    query = select(accounts.c.card_id, accounts.c.key_version).where(accounts.c.account == account)
    beside = select(rekeyed_cards.c.card_id, rekeyed_cards.c.key_version).where(rekeyed_cards.c.account == account)
    return [VersionedId(row.card_id.hex().upper(), row.key_version) for row in connection.execute(query.union(beside))]


def fetch_many(connection: Connection, numbers: Sequence[int]) -> dict[int, Card]:
    """account -> card."""
    found: dict[int, Card] = {}
    for begin in range(0, len(numbers), 500):
        query = CARDS.where(accounts.c.account.in_(numbers[begin : begin + 500]))
        found |= {row.account: card_of(row) for row in connection.execute(query)}
    return found


def is_alias(connection: Connection, account: int, kind: str, value: bytes) -> bool:
    row = (aliases.c.account == account) & (aliases.c.kind == kind) & (aliases.c.value == value)
    return connection.scalar(select(aliases.c.at).where(row, ~_ENDED.exists())) is not None


def of_document(connection: Connection, finder: Finder, id_type: str, id_number: str) -> tuple[Card | None, int]:
    """Whose document this is, and its key: for an unknown one the key that nobody had."""
    key, value = document_key(id_type, id_number), f"{id_type}{id_number}".encode()
    while found := finder.accounts_of(connection, document_keys, key):
        card = fetch(connection, found[0])
        if card and ((card.identity.id_type, card.identity.id_number) == (id_type, id_number)):
            return card, key
        if card and is_alias(connection, card.account, "document", value):
            return card, key
        key += 1  # another document has this key
    return None, key


def of_card_id(connection: Connection, finder: Finder, card_id: str) -> Card | None:
    """The card with this id under any version that is good; else the one that had it, or is known elsewhere by it."""
    cards = finder.cards_of(connection, card_keys, card_key(card_id))
    return next(
        (card for card in cards if card.card_id == card_id or (card.other and card.other.card_id == card_id)), None
    ) or next((card for card in cards if is_alias(connection, card.account, "card", card_id.encode())), None)


def of_mindex(connection: Connection, finder: Finder, mindex: bytes) -> Card | None:
    cards = finder.cards_of(connection, mindex_keys, mindex_key(mindex))
    return next((card for card in cards if card.mindex == mindex), None) or next(
        (card for card in cards if is_alias(connection, card.account, "mindex", mindex)), None
    )


def packed(card_id: str) -> bytes:
    """A card id as its account holds it. Raises InputError."""
    try:
        return bytes.fromhex(card_id)
    except ValueError:
        raise InputError("card_id: an even number of hex digits wanted") from None


def columns_of(derived: Derived) -> dict[str, Any]:
    one = derived.identity
    return {
        "mindex": derived.mindex,
        "card_id": packed(derived.card_id),
        "id_type": one.id_type,
        "id_number": one.id_number,
        "name": one.name,
        "key_version": derived.key_version,
    }


def take_key(connection: Connection, key: int, account: int) -> bool:
    """Give this account a document's key that nobody had; False when another transaction was faster."""
    insert = upsert(connection)(document_keys).values(key=key, account=account).on_conflict_do_nothing()
    return connection.scalar(insert.returning(document_keys.c.key)) is not None


def add_keys(connection: Connection, account: int, mindex: bytes, card_id: str) -> None:
    """These now find this account."""
    for table, key in ((mindex_keys, mindex_key(mindex)), (card_keys, card_key(card_id))):
        connection.execute(upsert(connection)(table).values(key=key, account=account).on_conflict_do_nothing())


def add_alias(  # noqa: PLR0917  the row's columns
    connection: Connection, account: int, kind: str, value: bytes, now: int, key_version: int | None = None
) -> None:
    """key_version: of a former card id, which ends with its version."""
    row = {"account": account, "kind": kind, "value": value, "at": now, "key_version": key_version}
    connection.execute(upsert(connection)(aliases).values(row).on_conflict_do_nothing())


def add_event(
    connection: Connection,
    account: int,
    kind: EventKind,
    states: tuple[AccountState | None, AccountState],
    *,
    now: int,
    by: str,
    note: str = "",
) -> None:
    """The account's next event; whoever calls holds the account's row, so that no two get one number."""
    last = select(func.coalesce(func.max(account_events.c.event), 0)).where(account_events.c.account == account)
    connection.execute(
        account_events.insert().values(
            account=account,
            event=(connection.scalar(last) or 0) + 1,
            at=now,
            kind=kind.value,
            state_before=states[0],
            state_after=states[1],
            by=by,
            note=note,
        )
    )


def set_columns(connection: Connection, account: int, values: Mapping[str, Any]) -> None:
    if values:
        connection.execute(update(accounts).where(accounts.c.account == account).values(**values))


def set_details(connection: Connection, account: int, details: Mapping[str, str]) -> None:
    """An empty one is deleted."""
    for field, value in details.items():
        row = (account_details.c.account == account) & (account_details.c.field == field)
        connection.execute(delete(account_details).where(row))
        if value:
            connection.execute(account_details.insert().values(account=account, field=field, value=value))


def restore(connection: Connection, card: Card, now: int, by: str) -> Card:
    """A cancelled card as it is again."""
    set_columns(connection, card.account, {"state": AccountState.NORMAL})
    add_event(connection, card.account, EventKind.RESTORED, (card.state, AccountState.NORMAL), now=now, by=by)
    return replace(card, state=AccountState.NORMAL)
