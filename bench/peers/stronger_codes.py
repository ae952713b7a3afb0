"""Codes of the profiles A (card-bound) and E2 (compact), by OpenSSL through `cryptography`: what ours must give, byte
for byte. Nothing here is fast."""

from __future__ import annotations

import struct
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from peers.openssl_well import sm4_ecb
from peers.token_time import plain_block

BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
COMPACT_EPOCH = 1_577_836_800


class Bound(NamedTuple):
    """The fields of a card-bound token."""

    expiry: int
    key_version: int
    channel: int
    scene: int
    sequence: int


class Compact(NamedTuple):
    """The fields of a compact code."""

    issuer: int
    node: int
    key_version: int
    ttl: int
    channel: int
    issued_at: int
    serial: int
    account: int


def hmac(key: bytes, message: bytes) -> bytes:
    context = HMAC(key, hashes.SM3())
    context.update(message)
    return context.finalize()


def bound_token(fields: Bound, card_id: bytes, protection_key: bytes) -> str:
    """32 digits."""
    groups = struct.unpack(">4Q", card_id)
    factor = groups[0] ^ groups[1] ^ groups[2] ^ groups[3]
    card_key = sm4_ecb(protection_key, struct.pack(">2Q", factor, factor ^ 0xFFFF_FFFF_FFFF_FFFF))
    said = bytes((fields.key_version, fields.channel << 4 | fields.scene)) + fields.sequence.to_bytes(3)
    return sm4_ecb(card_key, b"\xe1" + plain_block(fields.expiry)[:7] + said + bytes(3)).hex().upper()


def compact_code(fields: Compact, protection_key: bytes) -> str:
    """77 characters."""
    alias_key, mac_key = hmac(protection_key, b"ehc alias v1")[:16], hmac(protection_key, b"ehc mac v1")
    issued = fields.issued_at - COMPACT_EPOCH
    head = bytes((0x21,)) + (fields.issuer << 4 | fields.node).to_bytes(3)
    said = bytes((fields.key_version, fields.ttl << 5 | fields.channel))
    header = head + said + issued.to_bytes(4) + fields.serial.to_bytes(6)
    body = header + sm4_ecb(alias_key, struct.pack(">QI4x", fields.account, issued // 86400))
    return "EHC2:" + base45(body + hmac(mac_key, body)[:16])


def base45(data: bytes) -> str:
    """RFC 9285, of an even number of bytes."""
    groups = struct.unpack(f">{len(data) // 2}H", data)
    return "".join(BASE45[g % 45] + BASE45[g // 45 % 45] + BASE45[g // 2025] for g in groups)
