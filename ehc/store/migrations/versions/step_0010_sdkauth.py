"""SDKs, apps that sign their requests, their keys and grants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_RELEASE = ("name", "version", "platform")


def upgrade() -> None:
    _create_sdks()
    _create_apps()
    _create_grants()
    _create_events()


def _create_sdks() -> None:
    op.create_table(
        "sdks",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("platform", sa.String(32), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("digest", sa.LargeBinary(32)),
        sa.Column("signature", sa.LargeBinary(64)),
        sa.Column("signed_by", sa.Integer),
    )
    op.create_table(
        "sdk_files",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("platform", sa.String(32), primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(_RELEASE, [f"sdks.{name}" for name in _RELEASE]),
    )


def _create_apps() -> None:
    op.create_table(
        "sdk_apps",
        sa.Column("caller", sa.String(64), sa.ForeignKey("callers.name"), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("package", sa.String(128), nullable=False),
        sa.Column("certificate", sa.LargeBinary(32)),
        sa.Column("public_key", sa.LargeBinary(64)),
        sa.Column("report", sa.String(200), nullable=False),
        sa.Column("sandbox", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "app_keys",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("app", sa.String(64), sa.ForeignKey("sdk_apps.caller"), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary(128)),
        sa.Column("public_key", sa.LargeBinary(64)),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("fetched_at", sa.BigInteger),
    )
    op.create_index("app_keys_of_app", "app_keys", ["app"])


def _create_grants() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "app_grants",
        sa.Column("number", number, primary_key=True),
        sa.Column("app", sa.String(64), sa.ForeignKey("sdk_apps.caller"), nullable=False),
        sa.Column("sdk", sa.String(64), nullable=False),
        sa.Column("versions", sa.String(100), nullable=False),
        sa.Column("scopes", sa.String(512), nullable=False),
        sa.Column("institutions", sa.Text),
        sa.Column("begins_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("quota", sa.BigInteger),
        sa.Column("period", sa.String(8), nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("app_grants_of_app", "app_grants", ["app"])
    of = sa.ForeignKey("app_grants.number")
    op.create_table(
        "grant_uses",
        sa.Column("grant_number", number, of, primary_key=True, autoincrement=False),
        sa.Column("period", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_events() -> None:
    op.create_table(
        "sdk_events",
        sa.Column("event", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("sdk_events_of_subject", "sdk_events", ["subject", "event"])
    for statement in _ONLY_GROW[op.get_bind().dialect.name]:
        op.execute(statement)


_ONLY_GROW = {
    "sqlite": (
        "CREATE TRIGGER sdk_events_stay BEFORE UPDATE ON sdk_events"
        " BEGIN SELECT RAISE(ABORT, 'sdk_events only grow'); END",
        "CREATE TRIGGER sdk_events_remain BEFORE DELETE ON sdk_events"
        " BEGIN SELECT RAISE(ABORT, 'sdk_events only grow'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER sdk_events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON sdk_events"
        " FOR EACH STATEMENT EXECUTE FUNCTION only_grows()",  # made by step_0006_operators.py
    ),
}
