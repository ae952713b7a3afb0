"""Serial numbers of codes (ports.SerialBlocks): one statement takes a block, on whatever node."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql, sqlite

from ehc.errors import Conflict
from ehc.store.tables.codes import serial_blocks

LAST = 2**48 - 1  # a serial has 48 bits


class SqlSerialBlocks:
    """issuer, node: whose numbers these are."""

    def __init__(self, engine: Engine, issuer: int, node: int) -> None:
        self._engine, self._name = engine, f"{issuer:06}-{node}"

    def take(self, count: int) -> int:
        """As the port says. Raises Conflict when all 2^48 numbers are taken: a new key version starts again."""
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        row = insert(serial_blocks).values(name=self._name, next=count)
        more = {"next": serial_blocks.c.next + count}
        statement = row.on_conflict_do_update(index_elements=["name"], set_=more).returning(serial_blocks.c.next)
        with self._engine.begin() as connection:
            end: int = connection.execute(statement).scalar_one()
        if end > LAST:
            raise Conflict("this issuer and node have no serial numbers left: set another node")
        return end - count
