"""The master index: its events, what follows from them as it is now, the review queue, those who are told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from ehc.store.tables.base import Number, metadata

index_domains = Table(
    "index_domains",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("authority", String(100), nullable=False),
    Column("system", String(240), nullable=False, unique=True),
    Column("strong", Boolean, nullable=False),
    Column("single", Boolean, nullable=False),
    Column("id_type", String(2), nullable=False),
    Column("registered_at", BigInteger, nullable=False),
)

index_counter = Table(
    "index_counter",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("next", BigInteger, nullable=False),
)
"""The number of the next event. Whoever writes holds its row: events are numbered in the order of commits."""

index_events = Table(
    "index_events",
    metadata,
    Column("event", Number, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False),  # history.Kind
    Column("record", BigInteger, nullable=False),  # 0: none, as person and other
    Column("person", BigInteger, nullable=False),
    Column("other", BigInteger, nullable=False),
    Column("by", String(160), nullable=False),
    Column("why", String(200), nullable=False),
    Column("body", LargeBinary),  # record.Record, MessagePack
)
Index("index_events_of_person", index_events.c.person)
_later = (index_events.c.record > 0) & (index_events.c.record < index_events.c.event)
_other = index_events.c.other > 0
Index("index_events_of_record", index_events.c.record, sqlite_where=_later, postgresql_where=_later)
Index("index_events_of_other", index_events.c.other, sqlite_where=_other, postgresql_where=_other)
"""Rows are only ever added: the database refuses all else. A record has the number of the event that recorded it."""

index_records = Table(
    "index_records",
    metadata,
    Column("record", Number, primary_key=True, autoincrement=False),
    Column("person", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),  # the event that has its body
    Index("index_records_of_person", "person"),
)

index_merged = Table(
    "index_merged",
    metadata,
    Column("person", Number, primary_key=True, autoincrement=False),
    Column("into", BigInteger, nullable=False),
    Column("root", BigInteger, nullable=False),
    Index("index_merged_of_into", "into"),
    Index("index_merged_of_root", "root"),
)

index_apart = Table(
    "index_apart",
    metadata,
    Column("low", Number, primary_key=True, autoincrement=False),
    Column("high", BigInteger, primary_key=True, autoincrement=False),
    Index("index_apart_of_high", "high"),
    sqlite_with_rowid=False,
)

index_keys = Table(
    "index_keys",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),  # index/keys.py
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

index_reviews = Table(
    "index_reviews",
    metadata,
    Column("review", Number, primary_key=True),
    Column("matter", String(8), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("other", BigInteger, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("score", Double, nullable=False),
    Column("body", LargeBinary),
    Column("claimed_by", String(160), nullable=False),
    Column("claimed_until", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("answer", String(16)),
    Index("index_reviews_of_persons", "person", "other", "record"),
    sqlite_autoincrement=True,
)

index_votes = Table(
    "index_votes",
    metadata,
    Column("review", Number, ForeignKey("index_reviews.review"), primary_key=True, autoincrement=False),
    Column("by", String(160), primary_key=True),
    Column("answer", String(16), nullable=False),
    Column("why", String(200), nullable=False),
    Column("at", BigInteger, nullable=False),
)

index_consumers = Table(
    "index_consumers",
    metadata,
    Column("name", String(160), primary_key=True),  # <caller>/<its own name>
    Column("event", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
)

index_turns = Table(
    "index_turns",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("place", BigInteger, nullable=False),
    Column("holder", String(32), nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""How far the index has followed others, and which process goes on, until when (index/following.py)."""

index_models = Table(
    "index_models",
    metadata,
    Column("model", Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String(160), nullable=False),
    Column("weights", Text, nullable=False),
    sqlite_autoincrement=True,
)
