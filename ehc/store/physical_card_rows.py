"""Physical cards as rows, many at once, as each database takes and finds them quickest."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec
import psycopg
from sqlalchemy import Connection, Row, text

from ehc.registry.card import PhysicalCard
from ehc.store import bulk_postgres, bulk_sqlite

Taken = psycopg.errors.UniqueViolation, sqlite3.IntegrityError
"""What `add` raises where a number is there already."""


class CardRows(Protocol):
    def known(self, connection: Connection, numbers: Sequence[str]) -> Sequence[Row[Any]]:
        """Rows of physical_cards with these numbers."""
        ...

    def add(
        self, connection: Connection, cards: Sequence[PhysicalCard], accounts: Sequence[int], first: int, now: int
    ) -> None:
        """first: place in the feed of the first of them. accounts: 0 for none. Raises one of Taken."""
        ...


Values = tuple[Any, ...]


def _rows(cards: Sequence[PhysicalCard], accounts: Sequence[int], first: int, now: int) -> Iterator[Values]:
    """The columns of physical_cards in their order. +state: a plain number, of which no driver asks what it is."""
    for change, (card, account) in enumerate(zip(cards, accounts, strict=True), first):
        yield (change, *card[:6], +card[6], card[7], card[8], change, now, account or None)


class SqliteCardRows:
    _KNOWN = text(
        "SELECT known.* FROM json_each(:asked) AS asked"
        " CROSS JOIN physical_cards AS known ON known.number = asked.value"
    )
    _ADD = "INSERT INTO physical_cards VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

    def known(self, connection: Connection, numbers: Sequence[str]) -> Sequence[Row[Any]]:
        return connection.execute(self._KNOWN, {"asked": msgspec.json.encode(sorted(numbers)).decode()}).all()

    def add(
        self, connection: Connection, cards: Sequence[PhysicalCard], accounts: Sequence[int], first: int, now: int
    ) -> None:
        with bulk_sqlite.driver(connection) as raw:
            raw.executemany(self._ADD, _rows(cards, accounts, first, now))


class PostgresCardRows:
    _KNOWN = text(
        "SELECT known.* FROM unnest(CAST(:numbers AS text[])) AS asked (number)"
        " JOIN physical_cards AS known ON known.number = asked.number"
    )
    _ADD = b"COPY physical_cards FROM STDIN"

    def known(self, connection: Connection, numbers: Sequence[str]) -> Sequence[Row[Any]]:
        return connection.execute(self._KNOWN, {"numbers": sorted(numbers)}).all()

    def add(
        self, connection: Connection, cards: Sequence[PhysicalCard], accounts: Sequence[int], first: int, now: int
    ) -> None:
        """As text: no field holds a tab or a line feed, a name may hold a backslash, the last column alone is null."""
        lines = "".join(map(_LINE.__mod__, _rows(cards, accounts, first, now)))
        lines = lines.replace("\\", "\\\\").replace("\tNone\n", "\t\\N\n")
        with bulk_postgres.driver(connection) as raw, raw.cursor() as cursor, cursor.copy(self._ADD) as copy:
            copy.write(lines.encode())


_LINE = "\t".join(["%s"] * 13) + "\n"
