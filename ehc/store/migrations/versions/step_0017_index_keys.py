"""Keys of the master index are of SM3: made anew of all that is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Row

revision = "0017"
down_revision = "0016"

_SAID = sa.text(
    "SELECT event, record, body FROM index_events WHERE event > :after AND body IS NOT NULL ORDER BY event LIMIT 10000"
)
_KEY = sa.text("INSERT INTO index_keys (key, record) VALUES (:key, :record) ON CONFLICT DO NOTHING")


def upgrade() -> None:
    connection = op.get_bind()
    connection.execute(sa.text("DELETE FROM index_keys"))
    after = 0
    while said := connection.execute(_SAID, {"after": after}).all():
        connection.execute(_KEY, _keys(said))
        after = said[-1].event


def _keys(said: Sequence[Row[Any]]) -> list[dict[str, int]]:
    from ehc.index.keys import keys_of  # noqa: PLC0415  an index that has nothing yet needs none of it
    from ehc.index.record import decode  # noqa: PLC0415

    found = {(key, one.record) for one in said for key in keys_of(decode(bytes(one.body))).all}
    return [{"key": key, "record": record} for key, record in sorted(found)]
