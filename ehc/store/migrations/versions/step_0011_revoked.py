"""Signed codes that were revoked, and account events by their time: what terminals without network are told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "revoked_codes",
        sa.Column("name", sa.LargeBinary(10), primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_revoked_codes_until", "revoked_codes", ["until"])
    op.create_index("account_events_at", "account_events", ["at"])
