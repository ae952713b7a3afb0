"""Operators, their sessions and deeds; records that only grow; who has a telephone number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _create_operators()
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "operator_deeds",
        sa.Column("deed", number, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("operator", sa.String(32), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("account", sa.BigInteger),
        sa.Column("result", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("operator_deeds_of_operator", "operator_deeds", ["operator", "deed"])
    phones = sa.text("field = 'phone'")
    op.create_index("accounts_of_phone", "account_details", ["value"], sqlite_where=phones, postgresql_where=phones)
    statements = _ONLY_GROW[op.get_bind().dialect.name]
    for statement in statements:
        op.execute(statement)


def _create_operators() -> None:
    op.create_table(
        "operators",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(160), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
        sa.Column("one_time_until", sa.BigInteger),
        sa.Column("signed_in_at", sa.BigInteger),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("who", sa.LargeBinary(32), primary_key=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("sign_in_attempts_of_time", "sign_in_attempts", ["last_at"])
    op.create_table(
        "operator_sessions",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("operator", sa.String(32), sa.ForeignKey("operators.name"), nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("account", sa.BigInteger),
        sa.Column("purpose", sa.String(200), nullable=False),
        sqlite_with_rowid=False,
    )


_ONLY_GROW = {
    "sqlite": (
        "CREATE TRIGGER looks_stay BEFORE UPDATE ON looks BEGIN SELECT RAISE(ABORT, 'looks only grow'); END",
        "CREATE TRIGGER looks_remain BEFORE DELETE ON looks BEGIN SELECT RAISE(ABORT, 'looks only grow'); END",
        "CREATE TRIGGER operator_deeds_stay BEFORE UPDATE ON operator_deeds"
        " BEGIN SELECT RAISE(ABORT, 'operator_deeds only grow'); END",
        "CREATE TRIGGER operator_deeds_remain BEFORE DELETE ON operator_deeds"
        " BEGIN SELECT RAISE(ABORT, 'operator_deeds only grow'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION only_grows() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME; END $$",
        "CREATE TRIGGER looks_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON looks"
        " FOR EACH STATEMENT EXECUTE FUNCTION only_grows()",
        "CREATE TRIGGER operator_deeds_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_deeds"
        " FOR EACH STATEMENT EXECUTE FUNCTION only_grows()",
    ),
}
