"""The compiled core: SM3, SM4-ECB, HMAC-SM3, batch derivation of card ids, payload parsing and token check (profile N).

Needs numpy alone. A key is 16 bytes or a KeyHandle; a handle expands the key once and never gives it back.

    >>> from ehc.crypto import derive_batch
    >>> key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    >>> cards = derive_batch([("01", "11010020171225006X", "电子健康卡")], key)
    >>> cards.hex().card_id[0][:16]
    '98FF9F2C05145CB9'
"""

from __future__ import annotations

from ehc._native import KeyHandle, hmac_sm3, sm3, tier, tiers, wipe
from ehc._native import equal as constant_time_equal
from ehc.crypto.batch import (
    Batch,
    DerivedBatch,
    HexColumns,
    RekeyedBatch,
    RowError,
    card_lines,
    derive_batch,
    hex_digits,
    pack_columns,
    rekey_batch,
)
from ehc.crypto.sm4 import sm4_ecb_decrypt, sm4_ecb_encrypt
from ehc.crypto.token import VerdictBatch, Window, check_batch, check_token, make_token, parse_payload

__all__ = [
    "Batch",
    "DerivedBatch",
    "HexColumns",
    "KeyHandle",
    "RekeyedBatch",
    "RowError",
    "VerdictBatch",
    "Window",
    "card_lines",
    "check_batch",
    "check_token",
    "constant_time_equal",
    "derive_batch",
    "hex_digits",
    "hmac_sm3",
    "make_token",
    "pack_columns",
    "parse_payload",
    "rekey_batch",
    "sm3",
    "sm4_ecb_decrypt",
    "sm4_ecb_encrypt",
    "tier",
    "tiers",
    "wipe",
]
