"""The jobs composed from a library's SM3 and its SM4-ECB of many blocks, as well as Python allows: one call for all
blocks under the fixed key, the fold in numpy, one call a person for her two blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from peers import Row
from peers.token_time import DYNAMIC, in_time, plain_block

Sm3 = Callable[[bytes], bytes]
Ecb = Callable[[bytes, bytes], bytes]
"""(key, blocks) -> blocks."""


def derive(rows: list[Row], key: bytes, sm3: Sm3, ecb: Ecb) -> list[str]:
    digests = b"".join([sm3((a + b + c).encode()) for a, b, c in rows])
    factor = np.bitwise_xor.reduce(np.frombuffer(digests, np.uint64).reshape(-1, 4), axis=1, keepdims=True)
    keys = ecb(key, np.hstack([factor, ~factor]).tobytes())
    blocks = [(a + b).encode().ljust(32, b"\0") for a, b, _ in rows]
    ids = b"".join([ecb(keys[16 * i : 16 * i + 16], block) for i, block in enumerate(blocks)]).hex().upper()
    return [ids[i : i + 64] for i in range(0, len(ids), 64)]


def check(payloads: list[str], now: int, decrypt: Callable[[bytes], bytes]) -> list[bool]:
    """decrypt: all blocks under the protection key."""
    matches = [DYNAMIC.fullmatch(payload) for payload in payloads]
    opened = decrypt(bytes.fromhex("".join([match[1] for match in matches if match])))
    blocks = iter([opened[i : i + 16] for i in range(0, len(opened), 16)])
    return [match is not None and in_time(next(blocks), now) for match in matches]


def tokens(expiries: list[int], key: bytes, ecb: Ecb) -> list[str]:
    made = ecb(key, b"".join([plain_block(expiry) for expiry in expiries])).hex().upper()
    return [made[i : i + 32] for i in range(0, len(made), 32)]
