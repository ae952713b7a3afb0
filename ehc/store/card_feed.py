"""SqlCardFeed: index/following.py's CardFeed, over the accounts' history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, select

from ehc.index.following import MOST, NOTHING, Change
from ehc.model import Card
from ehc.store import account_rows
from ehc.store.database import reader
from ehc.store.tables import account_details, account_events, registrations


class SqlCardFeed:
    def __init__(self, engine: Engine) -> None:
        self._reader = reader(engine)

    def changes(self, since: int, most: int) -> Sequence[Change]:
        with self._reader.connect() as connection:
            upto = _upto(connection, since, most)
            return sorted([*_single(connection, since, upto), *_batches(connection, since, upto)])

    def cards(self, changes: Sequence[Change]) -> Sequence[tuple[Card, Mapping[str, str]]]:
        numbers = sorted({number for one in changes for number in range(one.first, one.last + 1)})
        with self._reader.connect() as connection:
            found = account_rows.fetch_many(connection, numbers)
            details = _details(connection, list(found))
        return [(card, details.get(account, NOTHING)) for account, card in found.items()]


def _upto(connection: Connection, since: int, most: int) -> int | None:
    """The second of the event after so many; None where there are not so many."""
    event = account_events.c
    return connection.scalar(select(event.at).where(event.at >= since).order_by(event.at).offset(most).limit(1))


def _single(connection: Connection, since: int, upto: int | None) -> list[Change]:
    event = account_events.c
    query = select(event.at, event.account, event.event).where(event.at >= since)
    rows = connection.execute(query if upto is None else query.where(event.at <= upto))
    return [Change(at, account, account, number) for at, account, number in rows]


def _batches(connection: Connection, since: int, upto: int | None) -> list[Change]:
    batch = registrations.c
    query = select(batch.at, batch.first_account, batch.last_account).where(batch.at >= since)
    rows = connection.execute(query if upto is None else query.where(batch.at <= upto)).all()
    return [
        Change(at, begin, min(begin + MOST - 1, last))
        for at, first, last in rows
        for begin in range(first, last + 1, MOST)
    ]


def _details(connection: Connection, numbers: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
    of, found = account_details.c, defaultdict[int, dict[str, str]](dict)
    for begin in range(0, len(numbers), 500):
        query = select(of.account, of.field, of.value).where(of.account.in_(numbers[begin : begin + 500]))
        for account, field, value in connection.execute(query):
            found[account][field] = value
    return found
