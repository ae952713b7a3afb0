"""An issuer of signed codes (E3) with its list for terminals, as `GET /v1/offline-list` gives it."""

import msgspec

from ehc.codes.offline import LABEL, OfflineList, SignedList
from ehc.crypto import CompactKey, make_compact_code
from ehc.crypto.signed import signed_message, signed_text
from ehc.crypto.sm2 import PrivateKey

CONSULTATION, PAYMENT = "010102", "010105"
PROTECTION = CompactKey(bytes.fromhex("11223344556677888877665544332211"), 1)
SIGNER = PrivateKey(bytes(range(1, 33)))
PUBLIC = bytes(SIGNER.public_key)
ISSUER = 440100


def code(now, serial=1, ttl=3, signer=SIGNER):
    """ttl: class 3 lives five minutes."""
    compact = make_compact_code(
        PROTECTION, account=1234567890123456789, issuer=ISSUER, serial=serial, issued_at=now, node=1, ttl=ttl
    )
    message = signed_message(compact, 1)
    return signed_text(message, signer.sign(message))


def offline_list(now, **changes):
    return OfflineList(
        **{
            "issuer": ISSUER,
            "issued_at": now,
            "until": now + 86_400,
            "tolerance": 60,
            "keys": {1: PUBLIC.hex().upper()},
            "scenes": [CONSULTATION, PAYMENT],
            "single_use": [PAYMENT],
            "codes": [],
            "aliases": {},
        }
        | changes
    )


def signed_list(now, **changes):
    """As JSON."""
    text = msgspec.json.encode(offline_list(now, **changes)).decode()
    return msgspec.json.encode(SignedList(text, 1, SIGNER.sign(LABEL + text.encode()).hex().upper()))
