"""The compact code of profile E2 (native/README.md, "Codes of ours")."""

from typing import NamedTuple

from reference import base45
from reference.sm3 import hmac_sm3
from reference.sm4 import ecb_decrypt, ecb_encrypt

EPOCH = 1_577_836_800  # 2020-01-01T00:00:00Z
LIFETIMES = (30, 60, 120, 300, 3600, 86400, 30 * 86400, None)  # of the ttl classes, seconds


def alias_key(protection_key: bytes) -> bytes:
    return hmac_sm3(protection_key, b"ehc alias v1")[:16]


def mac_key(protection_key: bytes) -> bytes:
    return hmac_sm3(protection_key, b"ehc mac v1")


def header(  # noqa: PLR0917  the fields in their order
    issuer: int, node: int, version: int, ttl: int, channel: int, issued_at: int, serial: int
) -> bytes:
    place = (issuer << 4 | node).to_bytes(3, "big")
    time = (issued_at - EPOCH).to_bytes(4, "big")
    return b"\x21" + place + bytes([version, ttl << 5 | channel]) + time + serial.to_bytes(6, "big")


def alias(account: int, issued_at: int, protection_key: bytes) -> bytes:
    day = (issued_at - EPOCH) // 86400
    return ecb_encrypt(alias_key(protection_key), account.to_bytes(8, "big") + day.to_bytes(4, "big") + bytes(4))


def mac(message: bytes, protection_key: bytes) -> bytes:
    return hmac_sm3(mac_key(protection_key), message)[:16]


class Code(NamedTuple):
    issuer: int
    node: int
    key_version: int
    ttl: int
    channel: int
    issued_at: int
    serial: int


def parse(text: bytes) -> tuple[str, int, bytes]:
    """(reason or "", offset of the error, the 48 bytes)"""
    body = text.rstrip(b"\r\n\t").decode("latin-1")
    if len(body) != 77:
        return "length", 0, b""
    if not body.startswith("EHC2:"):
        return "grammar", 0, b""
    for i, character in enumerate(body[5:], 5):
        if character not in base45.ALPHABET:
            return "character", i, b""
    for i in range(5, 77, 3):
        if base45.decode(body[i : i + 3]) is None:
            return "grammar", i, b""
    raw = base45.decode(body[5:])
    assert raw is not None
    return ("", 0, raw) if raw[0] == 0x21 else ("grammar", 5, b"")


def read_header(raw: bytes) -> Code:
    place, issued_at = int.from_bytes(raw[1:4], "big"), EPOCH + int.from_bytes(raw[6:10], "big")
    return Code(place >> 4, place & 15, raw[4], raw[5] >> 5, raw[5] & 31, issued_at, int.from_bytes(raw[10:16], "big"))


def check(raw: bytes, protection_key: bytes, version: int, now: int, tolerance: int) -> tuple[str, int, int]:
    """Steps 3 to 5: (reason, account, expiry)"""
    code = read_header(raw)
    if code.key_version != version:
        return "key_version", 0, 0
    opened = ecb_decrypt(alias_key(protection_key), raw[16:32])
    day = (code.issued_at - EPOCH) // 86400
    if raw[32:] != mac(raw[:32], protection_key) or opened[8:] != day.to_bytes(4, "big") + bytes(4):
        return "forged", 0, 0
    account, lifetime = int.from_bytes(opened[:8], "big"), LIFETIMES[code.ttl]
    expiry = 2**63 - 1 if lifetime is None else code.issued_at + lifetime
    if now + tolerance < code.issued_at:
        return "early", account, expiry
    return "expired" if expiry < now - tolerance else "accepted", account, expiry


def seal(message: bytes, protection_key: bytes) -> str:
    """The text of header ‖ alias."""
    return "EHC2:" + base45.encode(message + mac(message, protection_key))
