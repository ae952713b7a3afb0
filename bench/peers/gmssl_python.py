"""The `gmssl` package, pure Python: what most scripts of the field use. Its own block functions are called directly,
because its ECB mode always adds a block of padding; the root key is expanded once a list."""

from __future__ import annotations

from importlib import metadata

from gmssl import sm3 as library
from gmssl.sm4 import SM4_DECRYPT, SM4_ENCRYPT, CryptSM4

from peers import Row
from peers.token_time import DYNAMIC, in_time, plain_block

NAME = "gmssl (pure Python)"


def version() -> str:
    return f"gmssl {metadata.version('gmssl')}"


def _cipher(key: bytes, mode: int = SM4_ENCRYPT) -> CryptSM4:
    cipher = CryptSM4()
    cipher.set_key(key, mode)
    return cipher


def derive(rows: list[Row], key: bytes) -> list[str]:
    root = _cipher(key)
    return [_card_id(root, row) for row in rows]


def _card_id(root: CryptSM4, row: Row) -> str:
    mindex = bytes.fromhex(library.sm3_hash(list("".join(row).encode())))
    factor = bytes(mindex[i] ^ mindex[8 + i] ^ mindex[16 + i] ^ mindex[24 + i] for i in range(8))
    user = _cipher(bytes(root.one_round(root.sk, factor + bytes(255 - b for b in factor))))
    block = (row[0] + row[1]).encode().ljust(32, b"\0")
    return bytes(user.one_round(user.sk, block[:16]) + user.one_round(user.sk, block[16:])).hex().upper()


def check(payloads: list[str], key: bytes, now: int) -> list[bool]:
    cipher = _cipher(key, SM4_DECRYPT)
    return [_good(cipher, payload, now) for payload in payloads]


def _good(cipher: CryptSM4, payload: str, now: int) -> bool:
    match = DYNAMIC.fullmatch(payload)
    return match is not None and in_time(bytes(cipher.one_round(cipher.sk, bytes.fromhex(match[1]))), now)


def tokens(expiries: list[int], key: bytes) -> list[str]:
    cipher = _cipher(key)
    return [bytes(cipher.one_round(cipher.sk, plain_block(expiry))).hex().upper() for expiry in expiries]


def sm3(data: bytes) -> bytes:
    return bytes.fromhex(library.sm3_hash(list(data)))


def sm4_ecb(key: bytes, data: bytes) -> bytes:
    cipher = _cipher(key)
    return b"".join(bytes(cipher.one_round(cipher.sk, data[i : i + 16])) for i in range(0, len(data), 16))
