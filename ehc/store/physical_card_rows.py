"""Physical cards as rows, many at once, as each database takes and finds them quickest."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import repeat
from typing import Any, Protocol

import msgspec
import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, text

from ehc.registry.card import CardTable, PhysicalCard
from ehc.store import bulk_postgres, bulk_sqlite
from ehc.store.copy_rows import OrNull, text_rows

Taken = psycopg.errors.UniqueViolation, sqlite3.IntegrityError
"""What `add` raises where a number is there already."""


class CardRows(Protocol):
    def known(self, connection: Connection, numbers: Sequence[str]) -> Sequence[Row[Any]]:
        """Rows of physical_cards with these numbers."""
        ...

    def add(
        self, connection: Connection, cards: Sequence[PhysicalCard], accounts: NDArray[np.int64], first: int, now: int
    ) -> None:
        """first: place in the feed of the first of them. accounts: 0 for none. Raises one of Taken."""
        ...


class SqliteCardRows:
    _KNOWN = text(
        "SELECT known.* FROM json_each(:asked) AS asked"
        " CROSS JOIN physical_cards AS known ON known.number = asked.value"
    )
    _ADD = "INSERT INTO physical_cards VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

    def known(self, connection: Connection, numbers: Sequence[str]) -> Sequence[Row[Any]]:
        return connection.execute(self._KNOWN, {"asked": msgspec.json.encode(sorted(numbers)).decode()}).all()

    def add(
        self, connection: Connection, cards: Sequence[PhysicalCard], accounts: NDArray[np.int64], first: int, now: int
    ) -> None:
        table, changes = CardTable.of(cards), range(first, first + len(cards))
        texts = table.number, table.chip, table.issuer, table.id_type, table.id_number, table.name
        known = [account or None for account in accounts.tolist()]
        said = table.state.tolist(), table.version.tolist(), table.source
        with bulk_sqlite.driver(connection) as raw:
            raw.executemany(self._ADD, zip(changes, *texts, *said, changes, repeat(now), known, strict=False))


class PostgresCardRows:
    _KNOWN = text(
        "SELECT known.* FROM unnest(CAST(:numbers AS text[])) AS asked (number)"
        " JOIN physical_cards AS known ON known.number = asked.number"
    )
    _ADD = "COPY physical_cards FROM STDIN WITH (FORMAT BINARY)"

    def known(self, connection: Connection, numbers: Sequence[str]) -> Sequence[Row[Any]]:
        return connection.execute(self._KNOWN, {"numbers": sorted(numbers)}).all()

    def add(
        self, connection: Connection, cards: Sequence[PhysicalCard], accounts: NDArray[np.int64], first: int, now: int
    ) -> None:
        table, changes = CardTable.of(cards), np.arange(first, first + len(cards), dtype=np.int64)
        holder = table.id_type, table.id_number, table.name
        said = table.state, table.version, table.source.texts()
        kept = changes, np.full(len(cards), now, np.int64), OrNull(accounts)
        rows = text_rows([changes, table.number, table.chip, table.issuer.texts(), *holder, *said, *kept])
        with bulk_postgres.driver(connection) as raw:
            bulk_postgres.copy_in(raw, self._ADD, [rows])
