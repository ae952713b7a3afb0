"""Physical cards and their history; accounts say how they came to be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("origin", sa.SmallInteger, nullable=False, server_default="0"))
    _create_cards()
    _create_history()
    op.create_table(
        "registry_peers",
        sa.Column("peer", sa.String(256), primary_key=True),
        sa.Column("pulled", sa.String(256), nullable=False),
        sa.Column("pushed", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def _number() -> sa.types.TypeEngine[str]:
    return sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")


def _create_cards() -> None:
    change = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "physical_cards",
        sa.Column("change", change, primary_key=True, autoincrement=False),
        sa.Column("number", _number(), nullable=False),
        sa.Column("chip", sa.String(32), nullable=False),
        sa.Column("issuer", sa.String(64), nullable=False),
        sa.Column("id_type", sa.String(2), nullable=False),
        sa.Column("id_number", sa.String(32), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("born", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("account", sa.BigInteger),
    )
    op.create_index("physical_cards_by_number", "physical_cards", ["number"], unique=True)
    op.create_index("physical_cards_of_account", "physical_cards", ["account"])


def _create_history() -> None:
    op.create_table(
        "physical_card_batches",
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("note", sa.String(256), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "physical_card_events",
        sa.Column("number", _number(), primary_key=True),
        sa.Column("change", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state_before", sa.SmallInteger, nullable=False),
        sa.Column("state_after", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("note", sa.String(256), nullable=False),
        sqlite_with_rowid=False,
    )
    for table in ("physical_card_batches", "physical_card_events"):
        for statement in _ONLY_GROWS[op.get_bind().dialect.name]:
            op.execute(statement.format(table=table))


_ONLY_GROWS = {
    "sqlite": (
        "CREATE TRIGGER {table}_stay BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{table} only grow'); END",
        "CREATE TRIGGER {table}_remain BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{table} only grow'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION only_grows()",  # made by step_0006_operators.py
    ),
}
