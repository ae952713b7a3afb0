"""The compiled core: SM3, SM4-ECB, HMAC-SM3, batch derivation of card ids, payload parsing, tokens of the
profiles N and A, compact codes (E2).

Needs numpy alone. A key is 16 bytes or a KeyHandle; a handle expands the key once and never gives it back.

    >>> from ehc.crypto import derive_batch
    >>> key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    >>> cards = derive_batch([("01", "11010020171225006X", "电子健康卡")], key)
    >>> cards.hex().card_id[0][:16]
    '98FF9F2C05145CB9'
"""

from __future__ import annotations

from ehc._native import (
    CompactKey,
    KeyHandle,
    MacKey,
    hmac_sm3,
    is_plain_resident_id,
    record_rows,
    sm3,
    tier,
    tiers,
    wipe,
)
from ehc._native import equal as constant_time_equal
from ehc.crypto.base45 import base45_decode, base45_encode
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
    sm3_lines,
)
from ehc.crypto.compact import (
    CompactBatch,
    CompactCode,
    CompactVerdict,
    OpenedCompact,
    check_compact,
    check_compact_batch,
    make_compact_code,
    open_compacts,
    parse_compact,
)
from ehc.crypto.sm4 import sm4_ecb_decrypt, sm4_ecb_encrypt
from ehc.crypto.token import (
    Profiles,
    VerdictBatch,
    Window,
    check_batch,
    check_token,
    make_bound_token,
    make_token,
    make_tokens,
    parse_payload,
)

__all__ = [
    "Batch",
    "CompactBatch",
    "CompactCode",
    "CompactKey",
    "CompactVerdict",
    "DerivedBatch",
    "HexColumns",
    "KeyHandle",
    "MacKey",
    "OpenedCompact",
    "Profiles",
    "RekeyedBatch",
    "RowError",
    "VerdictBatch",
    "Window",
    "base45_decode",
    "base45_encode",
    "card_lines",
    "check_batch",
    "check_compact",
    "check_compact_batch",
    "check_token",
    "constant_time_equal",
    "derive_batch",
    "hex_digits",
    "hmac_sm3",
    "is_plain_resident_id",
    "make_bound_token",
    "make_compact_code",
    "make_token",
    "make_tokens",
    "open_compacts",
    "pack_columns",
    "parse_compact",
    "parse_payload",
    "record_rows",
    "rekey_batch",
    "sm3",
    "sm3_lines",
    "sm4_ecb_decrypt",
    "sm4_ecb_encrypt",
    "tier",
    "tiers",
    "wipe",
]
