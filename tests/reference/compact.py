"""The compact code of profile E2 (native/README.md, "Codes of ours")."""

from reference import base45
from reference.sm3 import hmac_sm3
from reference.sm4 import ecb_encrypt

EPOCH = 1_577_836_800  # 2020-01-01T00:00:00Z


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


def seal(message: bytes, protection_key: bytes) -> str:
    """The text of header ‖ alias."""
    return "EHC2:" + base45.encode(message + mac(message, protection_key))
