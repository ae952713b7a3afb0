"""`gmssl_pyx`: GmSSL's C code in a wheel. It has no ECB mode; one block in counter mode over zeros is the same block
encrypted, so ids, tokens and SM3 can be had from it, and a bulk of ECB or a decryption cannot."""

from __future__ import annotations

from importlib import metadata

from gmssl_pyx import sm3_hash as sm3
from gmssl_pyx import sm4_ctr_encrypt

from peers import Row
from peers.token_time import plain_block

NAME = "gmssl_pyx"
_ZERO = bytes(16)

__all__ = ["NAME", "derive", "sm3", "tokens", "version"]


def version() -> str:
    return f"gmssl_pyx {metadata.version('gmssl_pyx')}"


def _block(key: bytes, block: bytes) -> bytes:
    return sm4_ctr_encrypt(key, block, _ZERO)


def derive(rows: list[Row], key: bytes) -> list[str]:
    return [_card_id(row, key) for row in rows]


def _card_id(row: Row, key: bytes) -> str:
    mindex = sm3("".join(row).encode())
    number = int.from_bytes(mindex)
    factor = (number ^ number >> 64 ^ number >> 128 ^ number >> 192) & 0xFFFF_FFFF_FFFF_FFFF
    user = _block(key, (factor << 64 | factor ^ 0xFFFF_FFFF_FFFF_FFFF).to_bytes(16))
    block = (row[0] + row[1]).encode().ljust(32, b"\0")
    return (_block(user, block[:16]) + _block(user, block[16:])).hex().upper()


def tokens(expiries: list[int], key: bytes) -> list[str]:
    return [_block(key, plain_block(expiry)).hex().upper() for expiry in expiries]
