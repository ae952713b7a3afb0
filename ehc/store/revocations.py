"""SqlRevocations: what was revoked while codes of before may be alive (ports.Revocations)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, delete, select

from ehc.store.database import reader, upsert
from ehc.store.tables.accounts import account_events
from ehc.store.tables.codes import revoked_codes


class SqlRevocations:
    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)

    def add(self, serial_name: bytes, until: int, now: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(revoked_codes).where(revoked_codes.c.until < now - KEPT))
            insert = upsert(connection)(revoked_codes).on_conflict_do_nothing()
            connection.execute(insert, {"name": serial_name, "until": until})

    def codes(self, now: int) -> Sequence[bytes]:
        query = select(revoked_codes.c.name).where(revoked_codes.c.until >= now - KEPT)
        with self._reader.connect() as connection:
            return [bytes(name) for name in connection.scalars(query)]

    def changed(self, since: int) -> Sequence[int]:
        query = select(account_events.c.account).where(account_events.c.at >= since).distinct()
        with self._reader.connect() as connection:
            return list(connection.scalars(query))


KEPT = 3600
"""Seconds after a code's end, for clocks that differ."""
