"""Accounts and their events, issued codes, replay claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "accounts",
        sa.Column("account", number, primary_key=True),
        sa.Column("mindex", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("card_id", sa.String(128), nullable=False, unique=True),
        sa.Column("id_type", sa.String(2), nullable=False),
        sa.Column("id_number", sa.String(32), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "account_events",
        sa.Column("event", number, primary_key=True),
        sa.Column("account", number, sa.ForeignKey("accounts.account"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("state_before", sa.SmallInteger),
        sa.Column("state_after", sa.SmallInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("account_events_of_account", "account_events", ["account", "event"])
    op.create_table(
        "issued_codes",
        sa.Column("card_id", sa.String(128), primary_key=True),
        sa.Column("token", sa.String(32), primary_key=True),
        sa.Column("expiry", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_issued_codes_expiry", "issued_codes", ["expiry"])
    op.create_table(
        "claims",
        sa.Column("key", sa.LargeBinary(128), primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_claims_until", "claims", ["until"])
