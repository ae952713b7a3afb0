"""Tongsuo, the field's own OpenSSL, through `tongsuopy`, written as well as its interface allows: as openssl_well."""

from __future__ import annotations

from importlib import metadata

from tongsuopy.crypto import hashes
from tongsuopy.crypto.ciphers import Cipher, algorithms, modes

from peers import Row, composed

NAME = "tongsuopy"
_SM4, _ECB, _FRESH = algorithms.SM4, modes.ECB(), hashes.Hash(hashes.SM3())


def version() -> str:
    return f"tongsuopy {metadata.version('tongsuopy')}"


def sm3(data: bytes) -> bytes:
    context = _FRESH.copy()
    context.update(data)
    return context.finalize()


def sm4_ecb(key: bytes, data: bytes) -> bytes:
    return Cipher(_SM4(key), _ECB).encryptor().update(data)


def derive(rows: list[Row], key: bytes) -> list[str]:
    return composed.derive(rows, key, sm3, sm4_ecb)


def tokens(expiries: list[int], key: bytes) -> list[str]:
    return composed.tokens(expiries, key, sm4_ecb)


def check(payloads: list[str], key: bytes, now: int) -> list[bool]:
    return composed.check(payloads, now, lambda sealed: Cipher(_SM4(key), _ECB).decryptor().update(sealed))
