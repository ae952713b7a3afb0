"""Accounts, what finds them, and their history.

The wide rows of `accounts` are only appended. What finds one is a narrow row elsewhere: a key of 8 bytes
(store/account_keys.py) and the account. Two accounts may share a key by chance, so the full value is compared after;
it is in the account, or in `aliases` when it was so formerly.

Times are seconds since 1970. No foreign keys: the tables may be spread over nodes, each by its own column.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, String, Table, text

from ehc.store.tables.base import ONLY, Number, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("account", Number, primary_key=True),  # never used twice
    Column("mindex", LargeBinary(32), nullable=False),
    Column("card_id", LargeBinary(64), nullable=False),
    Column("id_type", String(2), nullable=False),
    Column("id_number", String(32), nullable=False),
    Column("name", String(256), nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="1"),  # model.AccountState
    Column("kind", SmallInteger, nullable=False, server_default="2"),  # model.CardKind
    Column("person", SmallInteger, nullable=False, server_default="1"),  # model.PersonKind
    Column("codes_from", BigInteger, nullable=False, server_default="0"),
    Column("deadline", BigInteger),
    Column("guardian", BigInteger),
    Column("birth_order", SmallInteger),
    Column("merged_into", BigInteger),
    Column("origin", SmallInteger, nullable=False, server_default="0"),  # model.Origin
    sqlite_autoincrement=True,
    postgresql_partition_by="HASH (account)",
)
Index(
    "accounts_of_guardian",
    accounts.c.guardian,
    sqlite_where=text("guardian IS NOT NULL"),
    postgresql_where=text("guardian IS NOT NULL"),
)

document_keys = Table(
    "document_keys",
    metadata,
    Column("key", Number, primary_key=True, autoincrement=False),  # taken by another document: the next number
    Column("account", BigInteger, nullable=False),
)
"""The one that makes a document's account the only one."""

card_keys = Table(
    "card_keys",
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("account", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

mindex_keys = Table(
    "mindex_keys",
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("account", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

recent_keys = Table(
    "recent_keys",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("first_account", BigInteger, nullable=False),
    Column("documents", LargeBinary, nullable=False),  # sorted keys, int64; then whose they are, uint32 from the first
    Column("cards", LargeBinary, nullable=False),
    Column("mindexes", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
    info={ONLY: "sqlite"},
)
"""Keys of batches that are not in the three tables above yet (store/recent_keys.py)."""

key_merges = Table(
    "key_merges",
    metadata,
    Column("lookup", String(16), primary_key=True),
    Column("last_run", Integer, nullable=False),  # runs up to this one are being merged
    Column("done", Integer, nullable=False),  # keys of theirs that are in the table
    sqlite_with_rowid=False,
    info={ONLY: "sqlite"},
)

aliases = Table(
    "aliases",
    metadata,
    Column("account", BigInteger, primary_key=True),
    Column("kind", String(8), primary_key=True),  # document, mindex, card
    Column("value", LargeBinary(128), primary_key=True),  # as in the account; a card id in hex digits
    Column("at", BigInteger, nullable=False),
    Column("key_version", Integer),  # that a former card id was made under; NULL: under none that is known
    sqlite_with_rowid=False,
)
"""By what an account was known, or is known elsewhere. A former card id ends when its version is retired."""

registrations = Table(
    "registrations",
    metadata,
    Column("first_account", BigInteger, primary_key=True, autoincrement=False),
    Column("last_account", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(128), nullable=False),
    sqlite_with_rowid=False,
)
"""The first event of accounts that were registered together: one row a batch. Rows are only ever added."""

account_events = Table(
    "account_events",
    metadata,
    Column("account", BigInteger, primary_key=True),
    Column("event", Integer, primary_key=True),  # 1, 2, … of the account
    Column("at", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),  # cards.account.EventKind
    Column("state_before", SmallInteger),  # NULL: registered
    Column("state_after", SmallInteger, nullable=False),
    Column("by", String(128), nullable=False),
    Column("note", String(1024), nullable=False),
    Index("account_events_at", "at"),
    sqlite_with_rowid=False,
)
"""What happened to an account after that; rows are only ever added."""

account_details = Table(
    "account_details",
    metadata,
    Column("account", BigInteger, primary_key=True),
    Column("field", String(32), primary_key=True),  # cards.account.DETAILS
    Column("value", String(1024), nullable=False),
    sqlite_with_rowid=False,
)
Index(
    "accounts_of_phone",
    account_details.c.value,
    sqlite_where=text("field = 'phone'"),
    postgresql_where=text("field = 'phone'"),
)

family = Table(
    "family",
    metadata,
    Column("account", BigInteger, primary_key=True),
    Column("member", BigInteger, primary_key=True),
    Column("relation", String(2), nullable=False),  # GB/T 4761
    sqlite_with_rowid=False,
)
