"""OpenSSL through `cryptography`, written as well as its interface allows.

One context under the fixed key for the whole list and one call for all its blocks, a copied hash context (cheaper than
a new one), the fold in numpy. The key of each person needs a cipher object of its own: no call gives an existing one
another key.
"""

from __future__ import annotations

from importlib import metadata

import numpy as np
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from peers import Row
from peers.token_time import DYNAMIC, in_time, plain_block

NAME = "OpenSSL, written well"

_SM4, _ECB, _FRESH = algorithms.SM4, modes.ECB(), hashes.Hash(hashes.SM3())


def version() -> str:
    openssl = " ".join(backend.openssl_version_text().split()[:2])
    return f"{openssl}, cryptography {metadata.version('cryptography')}"


def sm3(data: bytes) -> bytes:
    context = _FRESH.copy()
    context.update(data)
    return context.finalize()


def sm4_ecb(key: bytes, data: bytes) -> bytes:
    return Cipher(_SM4(key), _ECB).encryptor().update(data)


def derive(rows: list[Row], key: bytes) -> list[str]:
    digests = b"".join([sm3((a + b + c).encode()) for a, b, c in rows])
    factor = np.bitwise_xor.reduce(np.frombuffer(digests, np.uint64).reshape(-1, 4), axis=1, keepdims=True)
    keys = sm4_ecb(key, np.hstack([factor, ~factor]).tobytes())
    blocks = [(a + b).encode().ljust(32, b"\0") for a, b, _ in rows]
    ids = b"".join([sm4_ecb(keys[16 * i : 16 * i + 16], block) for i, block in enumerate(blocks)]).hex().upper()
    return [ids[i : i + 64] for i in range(0, len(ids), 64)]


def check(payloads: list[str], key: bytes, now: int) -> list[bool]:
    matches = [DYNAMIC.fullmatch(payload) for payload in payloads]
    sealed = bytes.fromhex("".join([match[1] for match in matches if match]))
    opened = Cipher(_SM4(key), _ECB).decryptor().update(sealed)
    blocks = iter([opened[i : i + 16] for i in range(0, len(opened), 16)])
    return [match is not None and in_time(next(blocks), now) for match in matches]


def tokens(expiries: list[int], key: bytes) -> list[str]:
    made = sm4_ecb(key, b"".join([plain_block(expiry) for expiry in expiries])).hex().upper()
    return [made[i : i + 32] for i in range(0, len(made), 32)]
