"""SqlRekeyingStore: cards.rekeying.RekeyingStore over SQLite and PostgreSQL, one transaction a step."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import Connection, Engine, Row, delete, func, select, update

from ehc.cards.rekeying import AFTER, CLEARING, OVER, Accounts, Derive, Ids, Phase, Rekeying
from ehc.errors import Conflict, Unavailable
from ehc.store.database import reader
from ehc.store.rekeying_keys import LAST, LEAST, OtherKeys
from ehc.store.rekeying_pages import Pages
from ehc.store.rekeying_postgres import PostgresPages
from ehc.store.rekeying_sqlite import SqlitePages
from ehc.store.rekeying_work import Desk, Held
from ehc.store.tables import accounts, rekeying_due, rekeying_progress, rekeyings

TRIES = 100
"""How often a phase is entered again when others held what it needed: each time for a third of a second."""

_OPEN = rekeyings.c.open == 1
_ALL = frozenset(Phase)
_TURNS = CLEARING | {Phase.GRACE}
"""Which begin with other ids shown, or found."""

_TWICE = CLEARING | {Phase.BACKFILL}
"""Where a second pass goes through the keys."""

_FRESH = dict.fromkeys(("cursor", "done", "milliseconds", "wrong", "paused"), 0) | {"key_cursor": None}
_DUE = select(func.coalesce(func.sum(rekeying_due.c.last_account - rekeying_due.c.first_account + 1), 0))
_LATEST = select(rekeyings, rekeying_progress, _DUE.scalar_subquery().label("due")).where(
    rekeyings.c.rekeying == select(func.max(rekeyings.c.rekeying)).scalar_subquery(),
    rekeying_progress.c.rekeying == rekeyings.c.rekeying,
)
_TURN = select(func.coalesce(func.sum(rekeyings.c.turn), 0))
_PRESENT = select(rekeyings.c.present).where(_OPEN)
_NUMBER = select(rekeyings.c.rekeying).where(_OPEN).scalar_subquery()
_OWN = select(rekeying_progress).where(rekeying_progress.c.rekeying == _NUMBER).with_for_update()
_ROW = select(rekeyings).where(_OPEN)
_NOTES = select(rekeying_due).order_by(rekeying_due.c.due)
_COUNTED = dict.fromkeys(("differing", "refused"), 0)


class SqlRekeyingStore:
    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)
        self._pages: Pages = PostgresPages() if engine.dialect.name == "postgresql" else SqlitePages()
        self._keys = OtherKeys()
        self._since: float | None = None  # end of the step before

    def latest(self) -> Rekeying | None:
        with self._reader.connect() as connection:
            row = connection.execute(_LATEST).one_or_none()
        return None if row is None else _rekeying(row)

    def turn(self) -> int:
        with self._reader.connect() as connection:
            return int(connection.scalar(_TURN) or 0)

    def present(self) -> int | None:
        with self._reader.connect() as connection:
            return connection.scalar(_PRESENT)

    def begin(self, old_version: int, new_version: int, now: int) -> None:
        total = self._count()
        versions = {"old_version": old_version, "new_version": new_version, "present": old_version}
        row = versions | {"open": 1, "phase": Phase.BACKFILL.value, "turn": 0, "began_at": now}
        with self._engine.begin() as connection:
            self._pages.begin(connection)
            if connection.scalar(select(rekeyings.c.rekeying).where(_OPEN)):
                raise Conflict("a re-keying is open: `ehc keys rotate security_key status` shows it")
            number = connection.scalar(rekeyings.insert().values(**row).returning(rekeyings.c.rekeying))
            progress = _FRESH | _COUNTED | {"rekeying": number, "total": total}
            connection.execute(rekeying_progress.insert().values(**progress))

    def _count(self) -> int:
        with self._reader.connect() as connection:
            return connection.scalar(select(func.count()).select_from(accounts)) or 0

    def pause(self, *, paused: bool) -> None:
        row = rekeying_progress.c.rekeying == _NUMBER
        with self._engine.begin() as connection:
            connection.execute(update(rekeying_progress).where(row).values(paused=int(paused)))

    def drain(self, derive: Derive, most: int) -> int:
        return self._step(_ALL, derive, lambda desk: _drain(desk, most))

    def fill(self, derive: Derive, most: int) -> int:
        self._read_keys()

        def work(desk: Desk) -> int:
            if desk.held.key_cursor is not None:
                return _add_keys(desk, self._keys, most)
            rows = desk.pages.rows(desk.connection, desk.held.cursor, LAST, most)
            if not len(rows):
                return _to_keys(desk)
            new = desk.held.new_version
            todo = rows.some(rows.key_version != new)
            ids = desk.put(todo, np.full(len(todo), new, np.int64), with_keys=False)
            counts = {"refused": int((ids.made.lengths == 0).sum()), "differing": int(ids.differs.sum())}
            return _advance(desk, rows, **counts)

        return self._step({Phase.BACKFILL}, derive, work)

    def _read_keys(self) -> None:
        """Of the ids that were made, without holding anything: the step that needs them comes next."""
        with self._reader.connect() as connection:
            row = connection.execute(_LATEST).one_or_none()
            if row is not None and row.phase == Phase.BACKFILL and row.key_cursor not in (None, LAST):
                self._keys.read(connection, self._pages, row.rekeying, row.key_cursor, row.total)

    def verify(self, derive: Derive, most: int) -> int:
        def work(desk: Desk) -> int:
            rows = desk.pages.rows(desk.connection, desk.held.cursor, LAST, most)
            wrong = desk.wrong(rows.some(rows.key_version != desk.held.new_version))
            for account in wrong:
                desk.connection.execute(rekeying_due.insert().values(first_account=account, last_account=account))
            return _advance(desk, rows, wrong=len(wrong))

        return self._step({Phase.VERIFY}, derive, work)

    def clear(self, most: int) -> int:
        def work(desk: Desk) -> int:
            desk.pages.hasten(desk.connection)
            if desk.held.key_cursor is not None:
                return _sweep(desk, 2 * most)
            cursor, (last, count) = desk.held.cursor, desk.pages.page(desk.connection, desk.held.cursor, most)
            if not count:
                return _to_keys(desk)
            desk.settle_page(cursor + 1, last)
            _set_progress(desk, {"cursor": last, "done": rekeying_progress.c.done + count})
            return count

        return self._step(CLEARING, _nobody, work)

    def again(self) -> None:
        def work(desk: Desk) -> int:
            _set_progress(desk, _FRESH)
            return 0

        self._step({Phase.VERIFY}, _nobody, work)

    def enter(self, phase: Phase, allowed: Collection[Phase], derive: Derive, now: int) -> bool:
        total = self._count() if phase in AFTER else 0
        for _ in range(TRIES):
            try:
                return self._enter(phase, allowed, derive, now, total)
            except Unavailable as error:
                if not _held_by_others(error):
                    raise
        raise Unavailable("others keep holding accounts that a phase of the re-keying needs: try again")

    def _enter(self, phase: Phase, allowed: Collection[Phase], derive: Derive, now: int, total: int) -> bool:
        with self._engine.begin() as connection:
            if _hold(connection) is None:
                return False
            self._pages.enter(connection)
            self._pages.index(connection)
            held = _hold(connection)
            if held is None or held.phase not in allowed or (phase is Phase.READY and held.wrong):
                return False
            self._pages.hasten(connection)
            desk = Desk(connection, self._pages, held, derive)
            while _drain(desk, 1 << 16):
                pass
            present = {Phase.GRACE: held.new_version, Phase.ROLL_BACK: held.old_version}.get(phase, held.present)
            values: dict[str, Any] = {"phase": phase.value, "present": present}
            if phase in _TURNS:
                values["turn"] = rekeyings.c.turn + 1
            if phase in OVER:
                values |= {"open": None, "ended_at": now}
            connection.execute(update(rekeyings).where(rekeyings.c.rekeying == held.number).values(**values))
            _set_progress(desk, _FRESH | ({"total": total} if phase in AFTER else {}))
            return True

    def _step(self, phases: Collection[Phase], derive: Derive, work: Callable[[Desk], int]) -> int:
        """What the work took; 1, which is to say look again, where others were in the way."""
        began = time.monotonic() if self._since is None else self._since
        try:
            with self._engine.begin() as connection:
                self._pages.index(connection)
                held = _hold(connection)
                if held is None or held.phase not in phases:
                    return int(phases is not _ALL)
                desk = Desk(connection, self._pages, held, derive)
                took = work(desk)
                self._since = time.monotonic()
                spent = rekeying_progress.c.milliseconds + round(1000 * (self._since - began))
                if took and held.phase in AFTER:
                    _set_progress(desk, {"milliseconds": spent})
                return took
        except Unavailable as error:
            if not _held_by_others(error):
                raise
            return 1


def _nobody(_accounts: Accounts, _versions: Any) -> Ids:
    raise AssertionError("nothing is derived here")


def _hold(connection: Connection) -> Held | None:
    """The open rekeying, its progress held by this transaction alone; None when none is open."""
    progress = connection.execute(_OWN).one_or_none()
    row = connection.execute(_ROW).one_or_none()
    if progress is None or row is None or row.rekeying != progress.rekeying:
        return None
    versions = row.old_version, row.new_version, row.present
    cursors = progress.cursor, progress.key_cursor
    return Held(row.rekeying, *versions, Phase(row.phase), *cursors, progress.wrong)


def _drain(desk: Desk, most: int) -> int:
    """Notes of about so many accounts."""
    of, notes, size = rekeying_due.c, [], 0
    for note in desk.connection.execute(_NOTES.limit(most)):
        notes.append(note)
        size += note.last_account - note.first_account + 1
        if size >= most:
            break
    for first, last in _ranges([(note.first_account, note.last_account) for note in notes]):
        desk.do_due(desk.pages.rows(desk.connection, first - 1, last, last - first + 1))
    for begin in range(0, len(notes), 500):
        numbers = [note.due for note in notes[begin : begin + 500]]
        desk.connection.execute(delete(rekeying_due).where(of.due.in_(numbers)))
    return len(notes)


def _ranges(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that touch in one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _advance(desk: Desk, rows: Accounts, **counts: int) -> int:
    if len(rows):
        of = rekeying_progress.c
        values = {name: of[name] + count for name, count in counts.items() if count}
        _set_progress(desk, values | {"cursor": int(rows.account[-1]), "done": of.done + len(rows)})
    return len(rows)


def _to_keys(desk: Desk) -> int:
    """All accounts are done; their keys come next."""
    _set_progress(desk, {"key_cursor": LEAST})
    return 1


def _add_keys(desk: Desk, keys: OtherKeys, most: int) -> int:
    after = desk.held.key_cursor
    assert after is not None  # noqa: S101  the caller looked
    if after == LAST:
        return 0
    page = keys.page(after, most)
    if page is None:
        return 1  # another job has come further: they are read for the next step
    desk.pages.add_keys(desk.connection, page.keys)
    _set_progress(desk, {"key_cursor": page.last, "done": rekeying_progress.c.done + len(page.keys)})
    return 1


def _sweep(desk: Desk, most: int) -> int:
    """About half of the keys go."""
    after = desk.held.key_cursor
    assert after is not None  # noqa: S101  the caller looked
    last, count = desk.pages.key_page(desk.connection, after, most)
    if count:
        desk.sweep(after, last)
        _set_progress(desk, {"key_cursor": last, "done": rekeying_progress.c.done + count // 2})
    return count


def _set_progress(desk: Desk, values: dict[str, Any]) -> None:
    row = rekeying_progress.c.rekeying == desk.held.number
    desk.connection.execute(update(rekeying_progress).where(row).values(**values))


def _held_by_others(error: Unavailable) -> bool:
    return isinstance(error.__cause__, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected)


def _rekeying(row: Row[Any]) -> Rekeying:
    phase = Phase(row.phase)
    return Rekeying(
        number=row.rekeying,
        old_version=row.old_version,
        new_version=row.new_version,
        present=row.present,
        phase=phase,
        paused=bool(row.paused),
        done=min(row.done // 2, row.total) if phase in _TWICE else row.done,
        total=row.total,
        due=int(row.due),
        wrong=row.wrong,
        differing=row.differing,
        refused=row.refused,
        seconds=row.milliseconds / 1000,
        began_at=row.began_at,
        ended_at=row.ended_at,
    )
