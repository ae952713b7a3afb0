"""Re-keying (cards/rekeying.py): which version of card ids is the present one, and the other one's ids meanwhile."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, SmallInteger, String, Table

from ehc.store.tables.base import Number, metadata

rekeyings = Table(
    "rekeyings",
    metadata,
    Column("rekeying", Number, primary_key=True),  # 1, 2, …
    Column("open", SmallInteger, unique=True),  # 1; NULL once it is over: one at a time
    Column("old_version", Integer, nullable=False),
    Column("new_version", Integer, nullable=False),
    Column("present", Integer, nullable=False),  # the version whose ids are shown and made
    Column("phase", String(16), nullable=False),  # cards.rekeying.Phase
    Column("turn", Integer, nullable=False),  # how often what is shown or found has changed
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    sqlite_autoincrement=True,
)
"""Whoever registers or renames while one is open holds its row, shared, to the end of the transaction (PostgreSQL)."""

rekeying_progress = Table(
    "rekeying_progress",
    metadata,
    Column("rekeying", BigInteger, primary_key=True, autoincrement=False),
    Column("paused", SmallInteger, nullable=False),
    Column("cursor", BigInteger, nullable=False),  # accounts up to this one are done, in this phase
    Column("key_cursor", BigInteger),  # NULL: some accounts are not done; else keys up to this one are done too
    Column("done", BigInteger, nullable=False),  # accounts, in this phase; once more in the pass through their keys
    Column("total", BigInteger, nullable=False),  # accounts there were when the phase began
    Column("milliseconds", BigInteger, nullable=False),  # worked, in this phase
    Column("wrong", BigInteger, nullable=False),  # found wrong by this verification
    Column("differing", BigInteger, nullable=False),  # whose stored id is not what the version it names gives
    Column("refused", BigInteger, nullable=False),  # whose document gives no id: they keep the one they have
)
"""Of the rekeying of that number. Each step of the job holds the row alone: two that run share the work."""

rekeyed_cards = Table(
    "rekeyed_cards",
    metadata,
    Column("account", Number, primary_key=True, autoincrement=False),
    Column("key_version", Integer, nullable=False),
    Column("card_id", LargeBinary(64), nullable=False),
)
"""The id that an account has beside that of its row, under the other version of the open rekeying."""

rekeying_due = Table(
    "rekeying_due",
    metadata,
    Column("due", Number, primary_key=True),
    Column("first_account", BigInteger, nullable=False),
    Column("last_account", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
"""Accounts registered or renamed while a rekeying is open: their other id is to be made (again)."""
