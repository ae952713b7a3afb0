"""The jobs composed from a library's SM3 and its SM4-ECB of many blocks, as well as Python allows; card ids as
`ehc bench` composes them for its own peers."""

from __future__ import annotations

from collections.abc import Callable

from ehc.cli.measure import Ecb, Sm3
from ehc.cli.measure import composed as compose
from peers import Row
from peers.token_time import DYNAMIC, in_time, plain_block


def derive(rows: list[Row], key: bytes, sm3: Sm3, ecb: Ecb) -> list[str]:
    return compose(rows, key, sm3, ecb)


def check(payloads: list[str], now: int, decrypt: Callable[[bytes], bytes]) -> list[bool]:
    """decrypt: all blocks under the protection key."""
    matches = [DYNAMIC.fullmatch(payload) for payload in payloads]
    opened = decrypt(bytes.fromhex("".join([match[1] for match in matches if match])))
    blocks = iter([opened[i : i + 16] for i in range(0, len(opened), 16)])
    return [match is not None and in_time(next(blocks), now) for match in matches]


def tokens(expiries: list[int], key: bytes, ecb: Ecb) -> list[str]:
    made = ecb(key, b"".join([plain_block(expiry) for expiry in expiries])).hex().upper()
    return [made[i : i + 32] for i in range(0, len(made), 32)]
