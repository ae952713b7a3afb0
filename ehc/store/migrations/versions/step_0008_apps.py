"""Secrets of apps that sign their requests, sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "app_secrets",
        sa.Column("caller", sa.String(64), sa.ForeignKey("callers.name"), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(128), nullable=False),
    )
