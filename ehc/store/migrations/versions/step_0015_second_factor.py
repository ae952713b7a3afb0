"""Second factors of operators."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("operators", sa.Column("second_factor", sa.LargeBinary(128)))
    op.add_column("operators", sa.Column("second_factor_at", sa.BigInteger))
    op.add_column("operators", sa.Column("second_factor_step", sa.BigInteger))
