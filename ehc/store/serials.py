"""Serial numbers of codes (ports.SerialBlocks): one statement takes a block, on whatever node.

A block begins where the last one ended, and never before what the clock says: seconds since 2020, times 2^16. A
database that was restored from an older copy has forgotten blocks, but at under 65,536 numbers a second these all lie
behind the clock. 48 bits last until 2156.
"""

from __future__ import annotations

from sqlalchemy import Engine, func
from sqlalchemy.dialects import postgresql, sqlite

from ehc.errors import Conflict
from ehc.ports import Clock
from ehc.store.tables.codes import serial_blocks

LAST = 2**48 - 1  # a serial has 48 bits
A_SECOND = 1 << 16
_EPOCH = 1_577_836_800  # 2020-01-01T00:00:00Z


class SqlSerialBlocks:
    """issuer, node: whose numbers these are."""

    def __init__(self, engine: Engine, issuer: int, node: int, clock: Clock) -> None:
        self._engine, self._name, self._clock = engine, f"{issuer:06}-{node}", clock

    def take(self, count: int) -> int:
        """As the port says. Raises Conflict when all 2^48 numbers are taken: a new key version starts again."""
        is_postgres = self._engine.dialect.name == "postgresql"
        insert, larger = (postgresql.insert, func.greatest) if is_postgres else (sqlite.insert, func.max)
        least = max(0, self._clock() - _EPOCH) * A_SECOND
        row = insert(serial_blocks).values(name=self._name, next=least + count)
        more = {"next": larger(serial_blocks.c.next, least) + count}
        statement = row.on_conflict_do_update(index_elements=["name"], set_=more).returning(serial_blocks.c.next)
        with self._engine.begin() as connection:
            end: int = connection.execute(statement).scalar_one()
        if end > LAST:
            raise Conflict("this issuer and node have no serial numbers left: set another node")
        return end - count
