"""What a transaction that registers or renames owes a rekeying that is open meanwhile (cards/rekeying.py)."""

from __future__ import annotations

from sqlalchemy import Connection, delete, text

from ehc.store.tables import rekeyed_cards

LOCK = 0x65686332
"""Advisory, PostgreSQL: shared by whoever notes, alone by whoever enters a phase; first come, first served."""

_HOLD = text("SELECT pg_advisory_xact_lock_shared(:lock) FROM rekeyings WHERE open = 1")
_NOTE = text(
    "INSERT INTO rekeying_due (first_account, last_account) SELECT :first, :last FROM rekeyings WHERE open = 1"
)


def note(connection: Connection, first: int, last: int) -> None:
    """The other ids of these accounts are to be made. Call it after their rows were written: a rekeying that begins at
    this moment waits for whoever writes accounts, and one that enters a phase for whoever has noted some."""
    if connection.dialect.name == "postgresql" and connection.execute(_HOLD, {"lock": LOCK}).first() is None:
        return
    connection.execute(_NOTE, {"first": first, "last": last})


def renew(connection: Connection, account: int) -> None:
    """The account has another document or name: its other id is made again."""
    note(connection, account, account)
    connection.execute(delete(rekeyed_cards).where(rekeyed_cards.c.account == account))
