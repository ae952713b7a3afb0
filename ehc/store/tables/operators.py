"""Operators, their sessions, and what they did."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from ehc.store.tables.base import Number, metadata

operators = Table(
    "operators",
    metadata,
    Column("name", String(32), primary_key=True),  # never given to another one
    Column("role", String(16), nullable=False),
    Column("password", String(160), nullable=False),  # Argon2id, a PHC string; the hash of a chosen one sealed
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("one_time_until", BigInteger),
    Column("signed_in_at", BigInteger),
    Column("second_factor", LargeBinary(128)),  # sealed: access/second_factor.py
    Column("second_factor_at", BigInteger),
    Column("second_factor_step", BigInteger),  # the last one that was used
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("who", LargeBinary(32), primary_key=True),  # SHA-256 of what was typed as a name
    Column("attempts", Integer, nullable=False),  # since the last that went well
    Column("last_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("sign_in_attempts_of_time", sign_in_attempts.c.last_at)

operator_sessions = Table(
    "operator_sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256; the id itself is nowhere but in the browser
    Column("operator", String(32), ForeignKey("operators.name"), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("account", BigInteger),
    Column("purpose", String(200), nullable=False),
    sqlite_with_rowid=False,
)

operator_deeds = Table(
    "operator_deeds",
    metadata,
    Column("deed", Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("operator", String(32), nullable=False),
    Column("what", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("account", BigInteger),
    Column("result", String(64), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Index("operator_deeds_of_operator", "operator", "deed"),
    sqlite_autoincrement=True,
)
"""Rows are only ever added: the database refuses all else, as it does in `looks` (step_0006_operators.py)."""
