"""OpenSSL through `cryptography`, written as well as its interface allows.

One context under the fixed key for the whole list, a copied hash context (cheaper than a new one). The key of each
person needs a cipher object of its own: no call gives an existing one another key.
"""

from __future__ import annotations

from importlib import metadata

from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from peers import Row, composed

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
    return composed.derive(rows, key, sm3, sm4_ecb)


def check(payloads: list[str], key: bytes, now: int) -> list[bool]:
    return composed.check(payloads, now, lambda sealed: Cipher(_SM4(key), _ECB).decryptor().update(sealed))


def tokens(expiries: list[int], key: bytes) -> list[str]:
    return composed.tokens(expiries, key, sm4_ecb)
