"""Accounts and their history, issued codes, replay claims."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Table

from ehc.store.tables.base import Number, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("account", Number, primary_key=True),  # never used twice
    Column("mindex", LargeBinary(32), nullable=False, unique=True),
    Column("card_id", String(128), nullable=False, unique=True),  # 128: legacy ids
    Column("id_type", String(2), nullable=False),
    Column("id_number", String(32), nullable=False),
    Column("name", String(256), nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),  # model.AccountState
    Column("registered_at", BigInteger, nullable=False),  # seconds since 1970, as all times here
    sqlite_autoincrement=True,
)

account_events = Table(
    "account_events",
    metadata,
    Column("event", Number, primary_key=True),
    Column("account", Number, ForeignKey("accounts.account"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state_before", SmallInteger),  # NULL: registered
    Column("state_after", SmallInteger, nullable=False),
    Index("account_events_of_account", "account", "event"),
    sqlite_autoincrement=True,
)
"""What happened to an account; rows are only ever added."""

issued_codes = Table(
    "issued_codes",
    metadata,
    Column("card_id", String(128), primary_key=True),
    Column("token", String(32), primary_key=True),
    Column("expiry", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

claims = Table(
    "claims",
    metadata,
    Column("key", LargeBinary(128), primary_key=True),
    Column("until", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)
