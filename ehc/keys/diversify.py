"""密钥分散: keys of a region, a city, an institution from the key above, by the rule of the physical cards.

child = SM4-ECB(parent, factor ‖ NOT factor), one block, factor: 8 bytes. That is the rule by which the user key comes
from the security key (domain.md, 1). △ Ours: which 8 bytes stand for a place; the standard's part is not public.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ehc.crypto import sm3, wipe
from ehc.errors import InputError

FACTOR_BYTES = 8


def factor_of(code: str) -> bytes:
    """△ The code of a place: up to 8 characters of ASCII as they are, zeros behind (510000, 510100); longer ones, such
    as an institution's, as SM3 folded like a master index id. Raises InputError."""
    if not code or not code.isascii() or not code.isprintable() or " " in code:
        raise InputError("a place is named by its code: printable ASCII without blanks, such as 510000")
    raw = code.encode()
    if len(raw) <= FACTOR_BYTES:
        return raw.ljust(FACTOR_BYTES, b"\0")
    digest = sm3(raw)
    return bytes(a ^ b ^ c ^ d for a, b, c, d in zip(*(digest[i : i + 8] for i in range(0, 32, 8)), strict=True))


def diversify(parent: bytearray, factors: Iterable[bytes]) -> bytearray:
    """The key at the end of the way down: region, city, institution. parent: 16 bytes. Wipe what you get."""
    key = bytearray(parent)
    for factor in factors:
        block = factor + bytes(byte ^ 0xFF for byte in factor)
        child = bytearray(len(block) + 15)  # update_into wants room for one more block
        encryptor = Cipher(algorithms.SM4(cast(bytes, key)), modes.ECB()).encryptor()  # noqa: S305  the rule's own mode
        encryptor.update_into(block, child)
        wipe(key)
        key[:] = child[: len(key)]
        wipe(child)
    return key
