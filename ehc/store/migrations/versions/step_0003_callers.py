"""Callers, their keys and events; looks at people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "callers",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("scopes", sa.String(512), nullable=False),
        sa.Column("institution", sa.String(64)),
        sa.Column("rate", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "caller_keys",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("caller", sa.String(64), sa.ForeignKey("callers.name"), nullable=False),
        sa.Column("ends_at", sa.BigInteger),
    )
    op.create_table(
        "caller_events",
        sa.Column("event", number, primary_key=True),
        sa.Column("caller", sa.String(64), sa.ForeignKey("callers.name"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "looks",
        sa.Column("look", number, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("account", sa.BigInteger),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("looks_of_account", "looks", ["account", "look"])
