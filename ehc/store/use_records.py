"""SqlUseStore: uses of cards, and counters that are written with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select

from ehc.institutions.late import DAY, day_of
from ehc.institutions.statistics import HOUR, Count, Dimension, Question
from ehc.institutions.use import Outcome, Use
from ehc.store.database import reader, upsert
from ehc.store.tables import institutions, use_counts, uses

_OFFSET = -day_of(0)  # seconds by which China's days begin before those of UTC

COLUMNS: dict[Dimension, ColumnElement[Any]] = {
    Dimension.PROVINCE: func.substr(institutions.c.region, 1, 2),
    Dimension.CITY: func.substr(institutions.c.region, 1, 4),
    Dimension.REGION: institutions.c.region,
    Dimension.INSTITUTION: use_counts.c.institution,
    Dimension.SCENE: use_counts.c.scene,
    Dimension.OUTCOME: use_counts.c.outcome,
    Dimension.DAY: use_counts.c.hour - (use_counts.c.hour + _OFFSET) % DAY,
    Dimension.HOUR: use_counts.c.hour,
}


class SqlUseStore:
    """institutions.use.UseStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)

    def keep(self, new: Sequence[Use], now: int) -> Collection[str]:
        """Rows and counters are written in one order everywhere, so that no two calls wait for each other."""
        rows = {use.record_id: _row(use) | {"kept_at": now} for use in sorted(new, key=lambda one: one.record_id)}
        if not rows:
            return ()
        with self._engine.begin() as connection:
            insert = upsert(connection)
            keeping = insert(uses).on_conflict_do_nothing().returning(uses.c.record_id)
            kept = set(connection.scalars(keeping, list(rows.values())))
            counted = Counter(_counter(rows[record_id]) for record_id in kept)
            if counted:
                row = insert(use_counts)
                more = {"count": use_counts.c.count + row.excluded.count}
                adding = row.on_conflict_do_update(index_elements=list(use_counts.primary_key), set_=more)
                connection.execute(
                    adding, [dict(zip(_COUNTER, (*key, n), strict=True)) for key, n in sorted(counted.items())]
                )
        return kept

    def known(self, institution: str, record_ids: Sequence[str]) -> Mapping[str, Use]:
        if not record_ids:
            return {}
        query = select(uses).where((uses.c.institution == institution) & uses.c.record_id.in_(record_ids))
        with self._reader.connect() as connection:
            return {row.record_id: _use(row) for row in connection.execute(query)}

    def counts(self, question: Question, limit: int) -> Sequence[Count]:
        columns = [COLUMNS[dimension].label(f"by_{dimension}") for dimension in question.by]
        hour = use_counts.c.hour
        query = select(*columns, func.sum(use_counts.c.count).label("uses")).where(
            (hour >= question.since) & (hour < question.until)
        )
        joined = use_counts.join(institutions, institutions.c.code == use_counts.c.institution)
        query = query.select_from(joined)
        if question.region:
            within = (question.region.ljust(6, "0"), question.region.ljust(6, "9"))
            query = query.where(institutions.c.region.between(*within))
        if question.institution is not None:
            query = query.where(use_counts.c.institution == question.institution)
        if question.scene is not None:
            query = query.where(use_counts.c.scene == question.scene)
        names = [column.name for column in columns]
        ordered = query.group_by(*names).order_by(*names).limit(limit)
        with self._reader.connect() as connection:
            return [Count(tuple(row[:-1]), int(row.uses)) for row in connection.execute(ordered) if row.uses]


_COUNTER = ("institution", "hour", "scene", "outcome", "count")


def _counter(row: Mapping[str, Any]) -> tuple[str, int, str, str]:
    return row["institution"], row["used_at"] - row["used_at"] % HOUR, row["scene"], row["outcome"]


def _row(use: Use) -> dict[str, Any]:
    return {name: getattr(use, name) for name in Use.__dataclass_fields__} | {"outcome": use.outcome.value}


def _use(row: Any) -> Use:
    values = {name: getattr(row, name) for name in Use.__dataclass_fields__}
    return Use(**values | {"outcome": Outcome(row.outcome)})
