"""What every table stands on."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData()

Number = BigInteger().with_variant(Integer, "sqlite")
"""64 bits everywhere; SQLite counts up only what is spelled INTEGER."""

ONLY = "only"
"""Table.info[ONLY]: the one dialect that has this table."""
