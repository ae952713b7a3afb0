"""The schema as it is now, one file a room; `migrations/` has the steps to it, and a test compares the two."""

from __future__ import annotations

from ehc.store.tables.accounts import account_events, accounts, claims, issued_codes
from ehc.store.tables.base import Number, metadata
from ehc.store.tables.callers import caller_events, caller_keys, callers, looks
from ehc.store.tables.codes import serial_blocks

__all__ = [
    "Number",
    "account_events",
    "accounts",
    "caller_events",
    "caller_keys",
    "callers",
    "claims",
    "issued_codes",
    "looks",
    "metadata",
    "serial_blocks",
]
