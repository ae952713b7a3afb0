"""Institutions, their departments and terminals, what happened to them; uses of cards, and their counts.

Uses and counts have no foreign keys and start with the institution: they may be spread over nodes by it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, ForeignKeyConstraint, Index, Integer, String, Table

from ehc.store.tables.base import Number, metadata

institutions = Table(
    "institutions",
    metadata,
    Column("code", String(64), primary_key=True),  # never given to another one
    Column("name", String(128), nullable=False),
    Column("region", String(6), nullable=False),
    Column("kind", String(4), nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Index("institutions_of_region", "region", "code"),
)

departments = Table(
    "departments",
    metadata,
    Column("institution", String(64), ForeignKey("institutions.code"), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

terminals = Table(
    "terminals",
    metadata,
    Column("institution", String(64), ForeignKey("institutions.code"), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("channel", String(2), nullable=False),  # institutions.place.Channel
    Column("department", String(64)),
    Column("registered_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("last_seen", BigInteger),
    Column("clock_drift", BigInteger),
    ForeignKeyConstraint(["institution", "department"], ["departments.institution", "departments.code"]),
)

place_events = Table(
    "place_events",
    metadata,
    Column("event", Number, primary_key=True),
    Column("institution", String(64), ForeignKey("institutions.code"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("part", String(16), nullable=False),  # institution, department, terminal
    Column("code", String(64), nullable=False),
    Column("what", String(16), nullable=False),  # registered, modified, enabled, disabled
    Column("by", String(128), nullable=False),
    Index("place_events_of_institution", "institution", "event"),
    Index("place_events_of_what", "what", "event"),
    sqlite_autoincrement=True,
)
"""Rows are only ever added."""

uses = Table(
    "uses",
    metadata,
    Column("institution", String(64), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("used_at", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("scene", String(6), nullable=False),
    Column("outcome", String(8), nullable=False),  # institutions.use.Outcome
    Column("department", String(64)),
    Column("terminal", String(64)),
    Column("kept_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Rows are only ever added."""

use_counts = Table(
    "use_counts",
    metadata,
    Column("institution", String(64), primary_key=True),
    Column("hour", BigInteger, primary_key=True),  # its first second
    Column("scene", String(6), primary_key=True),
    Column("outcome", String(8), primary_key=True),
    Column("count", Integer, nullable=False),
    Index("use_counts_of_hour", "hour"),
    sqlite_with_rowid=False,
)
"""How many rows of `uses` there are; both change in one transaction."""
