"""Accounts that one document has for ever: narrow look-up tables, aliases, details, family, a history of all changes.

What was there stays. Where 0001 let one document have several accounts (its name told them apart), the first is the
document's; the others are cancelled, merged into it, and their mindex and card id become its aliases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection, Row

from ehc.store.account_keys import card_key, document_key, mindex_key

revision = "0002"
down_revision = "0001"

PARTITIONS = 16  # of accounts, in PostgreSQL
CHUNK = 2_000

EVENT_KINDS = {(None, 1): "registered", (0, 1): "restored", (6, 1): "resumed"}
BY_STATE_AFTER = {0: "cancelled", 6: "suspended"}


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    op.rename_table("accounts", "accounts_0001")
    op.rename_table("account_events", "account_events_0001")
    _create_accounts(on_sqlite)
    _create_look_ups()
    if on_sqlite:
        _create_recent_keys()
    _create_the_rest()
    if not on_sqlite:
        op.execute("CREATE SEQUENCE account_blocks START WITH 1099511627776 INCREMENT BY 16384")
    _move(op.get_bind())
    for name in ("claims", "issued_codes"):  # both are hot state now, and were good for minutes only
        op.drop_table(name)
    op.drop_table("account_events_0001")
    op.drop_table("accounts_0001")


def _create_accounts(on_sqlite: bool) -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "accounts",
        sa.Column("account", number, primary_key=True),
        sa.Column("mindex", sa.LargeBinary(32), nullable=False),
        sa.Column("card_id", sa.LargeBinary(64), nullable=False),
        sa.Column("id_type", sa.String(2), nullable=False),
        sa.Column("id_number", sa.String(32), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False, server_default="1"),
        sa.Column("kind", sa.SmallInteger, nullable=False, server_default="2"),
        sa.Column("person", sa.SmallInteger, nullable=False, server_default="1"),
        sa.Column("codes_from", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("deadline", sa.BigInteger),
        sa.Column("guardian", sa.BigInteger),
        sa.Column("birth_order", sa.SmallInteger),
        sa.Column("merged_into", sa.BigInteger),
        sqlite_autoincrement=True,
        postgresql_partition_by="HASH (account)",
    )
    for part in range(0 if on_sqlite else PARTITIONS):
        of = f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
        op.execute(f"CREATE TABLE accounts_part_{part:02} PARTITION OF accounts {of}")
    where = sa.text("guardian IS NOT NULL")
    op.create_index("accounts_of_guardian", "accounts", ["guardian"], sqlite_where=where, postgresql_where=where)


def _create_look_ups() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "document_keys",
        sa.Column("key", number, primary_key=True, autoincrement=False),
        sa.Column("account", sa.BigInteger, nullable=False),
    )
    for name in ("card_keys", "mindex_keys"):
        op.create_table(
            name,
            sa.Column("key", sa.BigInteger, primary_key=True),
            sa.Column("account", sa.BigInteger, primary_key=True),
            sqlite_with_rowid=False,
        )


def _create_recent_keys() -> None:
    op.create_table(
        "recent_keys",
        sa.Column("run", sa.Integer, primary_key=True),
        sa.Column("first_account", sa.BigInteger, nullable=False),
        sa.Column("documents", sa.LargeBinary, nullable=False),
        sa.Column("cards", sa.LargeBinary, nullable=False),
        sa.Column("mindexes", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "key_merges",
        sa.Column("lookup", sa.String(16), primary_key=True),
        sa.Column("last_run", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_the_rest() -> None:
    op.create_table(
        "aliases",
        sa.Column("account", sa.BigInteger, primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("value", sa.LargeBinary(128), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registrations",
        sa.Column("first_account", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last_account", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account_events",
        sa.Column("account", sa.BigInteger, primary_key=True),
        sa.Column("event", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state_before", sa.SmallInteger),
        sa.Column("state_after", sa.SmallInteger, nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("note", sa.String(1024), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account_details",
        sa.Column("account", sa.BigInteger, primary_key=True),
        sa.Column("field", sa.String(32), primary_key=True),
        sa.Column("value", sa.String(1024), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "family",
        sa.Column("account", sa.BigInteger, primary_key=True),
        sa.Column("member", sa.BigInteger, primary_key=True),
        sa.Column("relation", sa.String(2), nullable=False),
        sqlite_with_rowid=False,
    )


def _move(connection: Connection) -> None:
    owners = _owners(connection)
    for rows in _chunks(connection, "accounts_0001", "account"):
        for row in rows:
            _move_account(connection, row, owners.get((row.id_type, row.id_number), row.account))
    _move_events(connection, owners)
    if connection.dialect.name == "postgresql":
        newest = "SELECT setval(pg_get_serial_sequence('accounts', 'account'), max(account)) FROM accounts"
        connection.execute(sa.text(newest))


def _move_events(connection: Connection, owners: dict[tuple[str, str], int]) -> None:
    last: dict[int, dict[str, Any]] = {}
    for rows in _chunks(connection, "account_events_0001", "event"):
        for row in rows:
            number = last[row.account]["event"] + 1 if row.account in last else 1
            last[row.account] = _event(row, number)
            _insert(connection, "account_events", last[row.account])
    merged = sa.text("SELECT account FROM accounts WHERE merged_into IS NOT NULL")
    for account in connection.scalars(merged).all() if owners else ():
        event = last[account]
        state = {"state_before": event["state_after"], "state_after": 0}
        _insert(connection, "account_events", event | state | {"event": event["event"] + 1, "kind": "merged"})


def _owners(connection: Connection) -> dict[tuple[str, str], int]:
    """Documents with several accounts, and the first of them."""
    query = "SELECT id_type, id_number, min(account) FROM accounts_0001 GROUP BY id_type, id_number HAVING count(*) > 1"
    return {(id_type, id_number): account for id_type, id_number, account in connection.execute(sa.text(query))}


def _chunks(connection: Connection, table: str, key: str) -> Iterator[Sequence[Row[Any]]]:
    columns = {"accounts_0001": _ACCOUNT, "account_events_0001": _EVENT}[table]
    old = sa.table(table, *(sa.column(name) for name in columns))
    after = -1
    while rows := connection.execute(
        sa.select(old).where(old.c[key] > after).order_by(old.c[key]).limit(CHUNK)
    ).fetchall():
        yield rows
        after = getattr(rows[-1], key)


_ACCOUNT = (
    "account", "mindex", "card_id", "id_type", "id_number", "name", "key_version", "registered_at", "state",
)  # fmt: skip
_EVENT = ("event", "account", "at", "state_before", "state_after")


def _move_account(connection: Connection, row: Row[Any], owner: int) -> None:
    values = dict(zip(_ACCOUNT, row, strict=True)) | {"card_id": bytes.fromhex(row.card_id)}
    if owner != row.account:
        values |= {"state": 0, "merged_into": owner}
        for kind, value in (("mindex", row.mindex), ("card", row.card_id.encode())):
            alias = {"account": owner, "kind": kind, "value": value, "at": row.registered_at}
            _insert(connection, "aliases", alias)
    else:
        key = _free_key(connection, document_key(row.id_type, row.id_number))
        _insert(connection, "document_keys", {"key": key, "account": owner})
    _insert(connection, "accounts", values)
    _insert(connection, "card_keys", {"key": card_key(row.card_id), "account": owner})
    _insert(connection, "mindex_keys", {"key": mindex_key(row.mindex), "account": owner})


def _free_key(connection: Connection, key: int) -> int:
    taken = sa.text("SELECT 1 FROM document_keys WHERE key = :key")
    while connection.scalar(taken, {"key": key}):
        key += 1
    return key


def _event(row: Row[Any], number: int) -> dict[str, Any]:
    states = (row.state_before, row.state_after)
    kind = EVENT_KINDS.get(states) or BY_STATE_AFTER.get(row.state_after, "modified")
    return {
        "account": row.account, "event": number, "at": row.at, "kind": kind, "state_before": row.state_before,
        "state_after": row.state_after, "by": "", "note": "",
    }  # fmt: skip


def _insert(connection: Connection, table: str, values: dict[str, Any]) -> None:
    connection.execute(sa.insert(sa.table(table, *map(sa.column, values))), values)
