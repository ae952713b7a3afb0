"""Institutions, departments, terminals and their history; uses of cards and their counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _create_places()
    op.create_table(
        "uses",
        sa.Column("institution", sa.String(64), primary_key=True),
        sa.Column("record_id", sa.String(64), primary_key=True),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.Column("account", sa.BigInteger, nullable=False),
        sa.Column("scene", sa.String(6), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("department", sa.String(64)),
        sa.Column("terminal", sa.String(64)),
        sa.Column("kept_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "use_counts",
        sa.Column("institution", sa.String(64), primary_key=True),
        sa.Column("hour", sa.BigInteger, primary_key=True),
        sa.Column("scene", sa.String(6), primary_key=True),
        sa.Column("outcome", sa.String(8), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("use_counts_of_hour", "use_counts", ["hour"])


def _create_places() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "institutions",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("kind", sa.String(4), nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
    )
    op.create_index("institutions_of_region", "institutions", ["region", "code"])
    op.create_table(
        "departments",
        sa.Column("institution", sa.String(64), sa.ForeignKey("institutions.code"), primary_key=True),
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
    )
    op.create_table(
        "terminals",
        sa.Column("institution", sa.String(64), sa.ForeignKey("institutions.code"), primary_key=True),
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(2), nullable=False),
        sa.Column("department", sa.String(64)),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
        sa.Column("last_seen", sa.BigInteger),
        sa.Column("clock_drift", sa.BigInteger),
        sa.ForeignKeyConstraint(["institution", "department"], ["departments.institution", "departments.code"]),
    )
    op.create_table(
        "place_events",
        sa.Column("event", number, primary_key=True),
        sa.Column("institution", sa.String(64), sa.ForeignKey("institutions.code"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("place_events_of_institution", "place_events", ["institution", "event"])
