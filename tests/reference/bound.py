"""The card-bound token of profile A (native/README.md, "Codes of ours"): the block under a key made for the card."""

from typing import NamedTuple

from reference.sm4 import ecb_decrypt, ecb_encrypt
from reference.validity import plain_block, read_block


class Bound(NamedTuple):
    expiry: int
    key_version: int
    channel: int
    scene: int
    sequence: int


def card_key(card_id: bytes, protection_key: bytes) -> bytes:
    groups = (int.from_bytes(card_id[i : i + 8], "big") for i in (0, 8, 16, 24))
    g = 0
    for group in groups:
        g ^= group
    return ecb_encrypt(protection_key, g.to_bytes(8, "big") + (g ^ 2**64 - 1).to_bytes(8, "big"))


def block(fields: Bound) -> bytes:
    time = plain_block(fields.expiry)
    assert time is not None
    tail = bytes([fields.key_version, fields.channel << 4 | fields.scene]) + fields.sequence.to_bytes(3, "big")
    return b"\xe1" + time[:7] + tail + bytes(3)


def make_token(card_id: bytes, fields: Bound, protection_key: bytes) -> str:
    return ecb_encrypt(card_key(card_id, protection_key), block(fields)).hex().upper()


def read_plain(plain: bytes) -> Bound | None:
    """The fields of a decrypted block; None when it is not one."""
    time = read_block(plain[1:8] + bytes(9))
    if plain[0] != 0xE1 or plain[13:] != bytes(3) or time is None:
        return None
    return Bound(time, plain[8], plain[9] >> 4, plain[9] & 15, int.from_bytes(plain[10:13], "big"))


def read_token(card_id: bytes, token: bytes, protection_key: bytes) -> Bound | None:
    return read_plain(ecb_decrypt(card_key(card_id, protection_key), token))
