"""Callers, their keys, what happened to them, and whom they looked at."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from ehc.store.tables.base import Number, metadata

callers = Table(
    "callers",
    metadata,
    Column("name", String(64), primary_key=True),  # never given to another one
    Column("scopes", String(512), nullable=False),  # separated by spaces
    Column("institution", String(64)),
    Column("rate", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

caller_keys = Table(
    "caller_keys",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256; the key itself is nowhere
    Column("caller", String(64), ForeignKey("callers.name"), nullable=False),
    Column("ends_at", BigInteger),
)

app_secrets = Table(
    "app_secrets",
    metadata,
    Column("caller", String(64), ForeignKey("callers.name"), primary_key=True),
    Column("sealed", LargeBinary(128), nullable=False),  # keys/app_secrets.py
)

caller_events = Table(
    "caller_events",
    metadata,
    Column("event", Number, primary_key=True),
    Column("caller", String(64), ForeignKey("callers.name"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("what", String(16), nullable=False),  # added, rotated, revoked
    sqlite_autoincrement=True,
)
"""Rows are only ever added; how many there are is the version that every worker compares."""

looks = Table(
    "looks",
    metadata,
    Column("look", Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String(128), nullable=False),
    Column("what", String(64), nullable=False),
    Column("account", BigInteger),
    Column("purpose", String(200), nullable=False),
    Column("request_id", String(64), nullable=False),
    Index("looks_of_account", "account", "look"),
    sqlite_autoincrement=True,
)
"""Rows are only ever added."""
