"""OpenSSL through `cryptography`, as it is usually written: one function for one person, fresh objects for each step,
each finished, as the library's documentation shows it."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from peers import Row, openssl_well
from peers.token_time import CST, TOLERANCE

NAME = "OpenSSL, usual code"
version = openssl_well.version


def sm3(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def sm4_ecb(key: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _decrypt(key: bytes, data: bytes) -> bytes:
    decryptor = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def derive(rows: list[Row], key: bytes) -> list[str]:
    return [_card_id(id_type, id_number, name, key) for id_type, id_number, name in rows]


def _card_id(id_type: str, id_number: str, name: str, key: bytes) -> str:
    mindex = sm3((id_type + id_number + name).encode("utf-8"))
    factor = bytes(
        a ^ b ^ c ^ d for a, b, c, d in zip(mindex[:8], mindex[8:16], mindex[16:24], mindex[24:], strict=True)
    )
    user_key = sm4_ecb(key, factor + bytes(b ^ 0xFF for b in factor))
    return sm4_ecb(user_key, (id_type + id_number).encode("ascii").ljust(32, b"\0")).hex().upper()


def check(payloads: list[str], key: bytes, now: int) -> list[bool]:
    return [_good(payload, key, now) for payload in payloads]


def _good(payload: str, key: bytes, now: int) -> bool:
    try:
        card_id, flag, token = payload.split(":")
        block = _decrypt(key, bytes.fromhex(token))
        expiry = datetime.strptime(block[:7].hex(), "%Y%m%d%H%M%S").replace(tzinfo=CST)
    except ValueError:
        return False
    return flag == "0" and len(card_id) == 64 and not any(block[7:]) and expiry.timestamp() >= now - TOLERANCE


def tokens(expiries: list[int], key: bytes) -> list[str]:
    return [_token(datetime.fromtimestamp(expiry, CST), key) for expiry in expiries]


def _token(expiry: datetime, key: bytes) -> str:
    return sm4_ecb(key, bytes.fromhex(expiry.strftime("%Y%m%d%H%M%S")) + bytes(9)).hex().upper()
