"""Serial numbers of codes, taken in blocks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "serial_blocks",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("next", sa.BigInteger, nullable=False),
    )
