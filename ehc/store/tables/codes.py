"""What codes are numbered with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from ehc.store.tables.base import metadata

serial_blocks = Table(
    "serial_blocks",
    metadata,
    Column("name", String(32), primary_key=True),  # issuer and node
    Column("next", BigInteger, nullable=False),  # first number that nobody has taken
)
