"""SDKs, apps that sign their requests, their keys and grants, what was used of a grant, what happened."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from ehc.store.tables.base import Number, metadata

sdks = Table(
    "sdks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("platform", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("note", String(200), nullable=False),
    Column("size", BigInteger),
    Column("digest", LargeBinary(32)),  # SM3 of the file
    Column("signature", LargeBinary(64)),  # SM2, r ‖ s, once it was published
    Column("signed_by", Integer),  # version of the key
)

sdk_files = Table(
    "sdk_files",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("platform", String(32), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    ForeignKeyConstraint(["name", "version", "platform"], ["sdks.name", "sdks.version", "sdks.platform"]),
)

sdk_apps = Table(
    "sdk_apps",
    metadata,
    Column("caller", String(64), ForeignKey("callers.name"), primary_key=True),
    Column("kind", String(16), nullable=False),  # app, system
    Column("owner", String(100), nullable=False),
    Column("package", String(128), nullable=False),
    Column("certificate", LargeBinary(32)),
    Column("public_key", LargeBinary(64)),
    Column("report", String(200), nullable=False),
    Column("sandbox", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

app_keys = Table(
    "app_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("app", String(64), ForeignKey("sdk_apps.caller"), nullable=False),
    Column("kind", String(8), nullable=False),  # hmac, sm2, legacy
    Column("created_at", BigInteger, nullable=False),
    Column("sealed", LargeBinary(128)),  # keys/app_secrets.py
    Column("public_key", LargeBinary(64)),
    Column("ends_at", BigInteger),
    Column("fetched_at", BigInteger),
    Index("app_keys_of_app", "app"),
)

app_grants = Table(
    "app_grants",
    metadata,
    Column("number", Number, primary_key=True),
    Column("app", String(64), ForeignKey("sdk_apps.caller"), nullable=False),
    Column("sdk", String(64), nullable=False),  # * for all
    Column("versions", String(100), nullable=False),
    Column("scopes", String(512), nullable=False),  # separated by spaces
    Column("institutions", Text),  # separated by spaces; none: whichever
    Column("begins_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("quota", BigInteger),
    Column("period", String(8), nullable=False),
    Column("revoked_at", BigInteger),
    Index("app_grants_of_app", "app"),
    sqlite_autoincrement=True,
)

grant_uses = Table(
    "grant_uses",
    metadata,
    Column("grant_number", Number, ForeignKey("app_grants.number"), primary_key=True, autoincrement=False),
    Column("period", BigInteger, primary_key=True, autoincrement=False),  # grant.Quota.number
    Column("used", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

sdk_events = Table(
    "sdk_events",
    metadata,
    Column("event", Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("subject", String(200), nullable=False),  # app, or name/version/platform of an SDK
    Column("what", String(64), nullable=False),
    Column("who", String(128), nullable=False),
    Column("note", String(200), nullable=False),
    Index("sdk_events_of_subject", "subject", "event"),
    sqlite_autoincrement=True,
)
"""Rows are only ever added, the database refuses all else; how many there are is what every worker compares."""
