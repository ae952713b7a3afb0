"""Re-keying: the other id of a card meanwhile, and the version that former card ids were made under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_FORMER = (
    "UPDATE aliases SET key_version = (SELECT key_version FROM accounts WHERE accounts.account = aliases.account)"
    " WHERE kind = 'card' AND EXISTS (SELECT 1 FROM aliases AS renamed WHERE renamed.account = aliases.account"
    " AND renamed.kind = 'mindex' AND renamed.at = aliases.at)"
)
"""A former card id was noted together with the former mindex; one that was only known elsewhere was not."""


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("aliases", sa.Column("key_version", sa.Integer))
    op.execute(_FORMER)
    op.create_table(
        "rekeyings",
        sa.Column("rekeying", number, primary_key=True),
        sa.Column("open", sa.SmallInteger, unique=True),
        sa.Column("old_version", sa.Integer, nullable=False),
        sa.Column("new_version", sa.Integer, nullable=False),
        sa.Column("present", sa.Integer, nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rekeying_progress",
        sa.Column("rekeying", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("paused", sa.SmallInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _COUNTS),
    )
    op.create_table(
        "rekeyed_cards",
        sa.Column("account", number, primary_key=True, autoincrement=False),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("card_id", sa.LargeBinary(64), nullable=False),
    )
    op.create_table(
        "rekeying_due",
        sa.Column("due", number, primary_key=True),
        sa.Column("first_account", sa.BigInteger, nullable=False),
        sa.Column("last_account", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )


_COUNTS = ("cursor", "done", "total", "milliseconds", "wrong", "differing", "refused")
