"""Physical cards, their history, and how far synchronisations with other registries have come.

The wide rows are appended in the order of their changes, which is the feed's; what finds one elsewhere is narrow: its
number, its holder's account. A number's row is there for ever.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, SmallInteger, String, Table

from ehc.store.tables.base import Number, metadata

CardNumber = String(32).with_variant(String(32, collation="C"), "postgresql")
"""By bytes, as SQLite does: digests are made in this order."""

physical_cards = Table(
    "physical_cards",
    metadata,
    Column("change", Number, primary_key=True, autoincrement=False),  # place in the feed; it follows the commits
    Column("number", CardNumber, nullable=False),
    Column("chip", String(32), nullable=False),
    Column("issuer", String(64), nullable=False),
    Column("id_type", String(2), nullable=False),
    Column("id_number", String(32), nullable=False),
    Column("name", String(256), nullable=False),
    Column("state", SmallInteger, nullable=False),  # registry.card.CardState
    Column("version", BigInteger, nullable=False),
    Column("source", String(64), nullable=False),
    Column("born", BigInteger, nullable=False),  # its first `change`
    Column("changed_at", BigInteger, nullable=False),
    Column("account", BigInteger),  # of the holder's electronic card
    Index("physical_cards_by_number", "number", unique=True),
    Index("physical_cards_of_account", "account"),
)

physical_card_batches = Table(
    "physical_card_batches",
    metadata,
    Column("first", BigInteger, primary_key=True, autoincrement=False),  # `born` of the first
    Column("last", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),  # registry.card.CardEventKind
    Column("by", String(128), nullable=False),
    Column("note", String(256), nullable=False),
    sqlite_with_rowid=False,
)
"""The first event of cards that came in together: one row a batch. Rows are only ever added."""

physical_card_events = Table(
    "physical_card_events",
    metadata,
    Column("number", CardNumber, primary_key=True),
    Column("change", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state_before", SmallInteger, nullable=False),
    Column("state_after", SmallInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("source", String(64), nullable=False),
    Column("by", String(128), nullable=False),
    Column("note", String(256), nullable=False),
    sqlite_with_rowid=False,
)
"""What happened to a card after that; rows are only ever added."""

registry_peers = Table(
    "registry_peers",
    metadata,
    Column("peer", String(256), primary_key=True),
    Column("pulled", String(256), nullable=False),  # the other one's word for a place in its feed
    Column("pushed", BigInteger, nullable=False),  # a place in our feed
    Column("at", BigInteger, nullable=False),
)
