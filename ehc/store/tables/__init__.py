"""The schema as it is now, one file a room; `migrations/` has the steps to it, and a test compares the two."""

from __future__ import annotations

from ehc.store.tables.accounts import (
    account_details,
    account_events,
    accounts,
    aliases,
    card_keys,
    document_keys,
    family,
    key_merges,
    mindex_keys,
    recent_keys,
    registrations,
)
from ehc.store.tables.base import ONLY, Number, metadata
from ehc.store.tables.callers import app_secrets, caller_events, caller_keys, callers, looks
from ehc.store.tables.codes import serial_blocks
from ehc.store.tables.index import (
    index_apart,
    index_consumers,
    index_counter,
    index_domains,
    index_events,
    index_keys,
    index_merged,
    index_models,
    index_records,
    index_reviews,
    index_turns,
    index_votes,
)
from ehc.store.tables.institutions import departments, institutions, place_events, terminals, use_counts, uses
from ehc.store.tables.operators import operator_deeds, operator_sessions, operators, sign_in_attempts
from ehc.store.tables.registry import physical_card_batches, physical_card_events, physical_cards, registry_peers
from ehc.store.tables.rekeying import rekeyed_cards, rekeying_due, rekeying_progress, rekeyings
from ehc.store.tables.sdkauth import app_grants, app_keys, grant_uses, sdk_apps, sdk_events, sdk_files, sdks

__all__ = [
    "ONLY",
    "Number",
    "account_details",
    "account_events",
    "accounts",
    "aliases",
    "app_grants",
    "app_keys",
    "app_secrets",
    "caller_events",
    "caller_keys",
    "callers",
    "card_keys",
    "departments",
    "document_keys",
    "family",
    "grant_uses",
    "index_apart",
    "index_consumers",
    "index_counter",
    "index_domains",
    "index_events",
    "index_keys",
    "index_merged",
    "index_models",
    "index_records",
    "index_reviews",
    "index_turns",
    "index_votes",
    "institutions",
    "key_merges",
    "looks",
    "metadata",
    "mindex_keys",
    "operator_deeds",
    "operator_sessions",
    "operators",
    "physical_card_batches",
    "physical_card_events",
    "physical_cards",
    "place_events",
    "recent_keys",
    "registrations",
    "registry_peers",
    "rekeyed_cards",
    "rekeying_due",
    "rekeying_progress",
    "rekeyings",
    "sdk_apps",
    "sdk_events",
    "sdk_files",
    "sdks",
    "serial_blocks",
    "sign_in_attempts",
    "terminals",
    "use_counts",
    "uses",
]
