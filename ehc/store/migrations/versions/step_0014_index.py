"""The cross-domain master index: its domains, events and what follows from them, review queue, consumers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _create_domains()
    _create_events()
    _create_present()
    _create_reviews()
    _create_readers()
    _refuse_changes()


def _number(name: str, **options: bool) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, **options)  # type: ignore[arg-type]


def _own(name: str) -> sa.Column[int]:
    """A primary key that whoever writes gives."""
    return sa.Column(name, _ID, primary_key=True, autoincrement=False)


def _create_domains() -> None:
    op.create_table(
        "index_domains",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("authority", sa.String(100), nullable=False),
        sa.Column("system", sa.String(240), nullable=False, unique=True),
        sa.Column("strong", sa.Boolean, nullable=False),
        sa.Column("single", sa.Boolean, nullable=False),
        sa.Column("id_type", sa.String(2), nullable=False),
        _number("registered_at"),
    )


def _create_events() -> None:
    op.create_table(
        "index_counter",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        _number("next"),
    )
    op.create_table(
        "index_events",
        _own("event"),
        _number("at"),
        sa.Column("kind", sa.Integer, nullable=False),
        _number("record"),
        _number("person"),
        _number("other"),
        sa.Column("by", sa.String(160), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_index("index_events_of_person", "index_events", ["person"])
    for name, column, where in (
        ("index_events_of_record", "record", "record > 0 AND record < event"),
        ("index_events_of_other", "other", "other > 0"),
    ):
        op.create_index(name, "index_events", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _create_present() -> None:
    op.create_table("index_records", _own("record"), _number("person"), _number("version"))
    op.create_index("index_records_of_person", "index_records", ["person"])
    op.create_table("index_merged", _own("person"), _number("into"), _number("root"))
    op.create_index("index_merged_of_into", "index_merged", ["into"])
    op.create_index("index_merged_of_root", "index_merged", ["root"])
    op.create_table(
        "index_apart",
        _own("low"),
        sa.Column("high", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("index_apart_of_high", "index_apart", ["high"])
    op.create_table(
        "index_keys",
        sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )


def _create_reviews() -> None:
    op.create_table(
        "index_reviews",
        sa.Column("review", _ID, primary_key=True),
        sa.Column("matter", sa.String(8), nullable=False),
        _number("opened_at"),
        _number("person"),
        _number("other"),
        _number("record"),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("claimed_by", sa.String(160), nullable=False),
        _number("claimed_until"),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("answer", sa.String(16)),
        sqlite_autoincrement=True,
    )
    op.create_index("index_reviews_of_persons", "index_reviews", ["person", "other", "record"])
    op.create_table(
        "index_votes",
        sa.Column("review", _ID, sa.ForeignKey("index_reviews.review"), primary_key=True, autoincrement=False),
        sa.Column("by", sa.String(160), primary_key=True),
        sa.Column("answer", sa.String(16), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        _number("at"),
    )


def _create_readers() -> None:
    op.create_table(
        "index_consumers", sa.Column("name", sa.String(160), primary_key=True), _number("event"), _number("at")
    )
    op.create_table(
        "index_models",
        sa.Column("model", _ID, primary_key=True),
        _number("at"),
        sa.Column("by", sa.String(160), nullable=False),
        sa.Column("weights", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )


def _refuse_changes() -> None:
    for statement in _ONLY_GROW[op.get_bind().dialect.name]:
        op.execute(statement)


_ONLY_GROW = {
    "sqlite": (
        "CREATE TRIGGER index_events_stay BEFORE UPDATE ON index_events"
        " BEGIN SELECT RAISE(ABORT, 'index_events only grow'); END",
        "CREATE TRIGGER index_events_remain BEFORE DELETE ON index_events"
        " BEGIN SELECT RAISE(ABORT, 'index_events only grow'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER index_events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON index_events"
        " FOR EACH STATEMENT EXECUTE FUNCTION only_grows()",  # made by step_0006_operators.py
    ),
}
