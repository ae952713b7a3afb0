"""Disabled places are counted without looking through all that ever happened."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("place_events_of_what", "place_events", ["what", "event"])
