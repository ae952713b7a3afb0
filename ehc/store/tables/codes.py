"""What codes are numbered with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from ehc.store.tables.base import metadata

serial_blocks = Table(
    "serial_blocks",
    metadata,
    Column("name", String(32), primary_key=True),  # issuer and node
    Column("next", BigInteger, nullable=False),  # first number that nobody has taken
)

revoked_codes = Table(
    "revoked_codes",
    metadata,
    Column("name", LargeBinary(10), primary_key=True),  # serial name of a signed code
    Column("until", BigInteger, nullable=False, index=True),  # its last second
)
"""For terminals without network; hot state has its own."""
