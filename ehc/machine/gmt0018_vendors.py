"""What differs between GM/T 0018 libraries, one row a vendor: algorithm identifiers, sizes of structures, arguments."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from ehc.errors import ConfigError


@dataclass(frozen=True)
class Vendor:
    """Defaults are the standard's of 2023."""

    name: str
    sm4: int = 0x400  # with the mode in the low byte
    sm3: int = 0x1
    cipher_room: int = 0  # bytes of C in ECCCipher that the library may read; 0: as many as there are
    cipher_leads_with_length: bool = False  # older Sansec: L, x, y, C, M in 64 bytes
    wrap_mode: int = 0x01  # of keys under a KEK: ECB, or CBC with iv and PKCS#7
    has_ecb: bool = True  # SoftSDF as it is built by itself has CBC alone
    hmac_by_mac: bool = False  # no SDF_HMAC*, but SDF_CalculateMAC with SGD_SM3 under a key handle
    errors: dict[int, str] = field(default_factory=dict)  # codes of its own

    def envelope(self, sealed: bytes) -> bytes:
        """ECCCipher of C1 ‖ C3 ‖ C2 as GM/T 0009 and we have it: x, y (right-aligned in 64 bytes each), M, L, C."""
        x, y, m, c = sealed[:32], sealed[32:64], sealed[64:96], sealed[96:]
        point, room = bytes(32) + x + bytes(32) + y, c.ljust(self.cipher_room, b"\0")
        if self.cipher_leads_with_length:
            return len(c).to_bytes(4, sys.byteorder) + point + room + m.ljust(64, b"\0")
        return point + m + len(c).to_bytes(4, sys.byteorder) + room


VENDORS = {
    vendor.name: vendor
    for vendor in (
        Vendor("standard2023"),
        Vendor("standard2012"),
        Vendor("ehc"),
        Vendor(
            "gmssl",  # GmSSL and SoftSDF
            cipher_room=255,
            wrap_mode=0x02,
            has_ecb=False,
            hmac_by_mac=True,
            errors={0x01000100: "wrong password, or no such file (SoftSDF)"},
        ),
        Vendor("sansec", sm4=0x2000, cipher_room=136, cipher_leads_with_length=True),  # older, as GmSSL maps it
    )
}


def vendor(name: str) -> Vendor:
    if name not in VENDORS:
        raise ConfigError(f"no vendor {name!r} of GM/T 0018 libraries is known; known are {', '.join(VENDORS)}")
    return VENDORS[name]


_NAMES = """
    UNKNOWERR NOTSUPPORT COMMFAIL HARDFAIL OPENDEVICE OPENSESSION PARDENY KEYNOTEXIST ALGNOTSUPPORT ALGMODNOTSUPPORT
    PKOPERR SKOPERR SIGNERR VERIFYERR SYMOPERR STEPERR FILESIZEERR FILENOEXIST FILEOFSERR KEYTYPEERR KEYERR ENCDATAERR
    RANDERR PRKRERR MACERR FILEEXISTS FILEWERR NOBUFFER INARGERR OUTARGERR USERIDERR
"""
ERRORS = {0x01000001 + i: f"SDR_{name}" for i, name in enumerate(_NAMES.split())}
"""Names of the standard's codes."""
