"""Re-keying: keys are made and cleared away in a pass of their own, in key order (store/rekeying_keys.py)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("rekeying_progress", sa.Column("key_cursor", sa.BigInteger))
