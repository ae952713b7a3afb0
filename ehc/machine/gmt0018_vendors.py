"""What differs between GM/T 0018 libraries, one row a vendor: algorithm identifiers, sizes of structures, arguments."""

from __future__ import annotations

from dataclasses import dataclass, field

from ehc.errors import ConfigError


@dataclass(frozen=True)
class Vendor:
    """Defaults are the standard's of 2023."""

    name: str
    sm4: int = 0x400  # with the mode in the low byte
    sm4_gcm: int | None = 0x02000400
    sm3: int = 0x1
    sm2_sign: int = 0x00020200
    sm2_encrypt: int = 0x00020800
    cipher_bytes: int | None = None  # of C in ECCCipher; None: as many as there are
    cipher_leads_with_length: bool = False  # older Sansec: L and C before M
    encrypt_takes_algorithm: bool = True  # SDF_InternalEncrypt_ECC, InternalDecrypt_ECC
    wrap_mode: int = 0x01  # of keys under a KEK: ECB, or CBC with iv and PKCS#7
    has_ecb: bool = True  # SoftSDF as it is built by itself has CBC alone
    hmac_by_mac: bool = False  # no SDF_HMAC*, but SDF_CalculateMAC with SGD_SM3 under a key handle
    errors: dict[int, str] = field(default_factory=dict)  # codes of its own


VENDORS = {
    vendor.name: vendor
    for vendor in (
        Vendor("standard2023", encrypt_takes_algorithm=False),
        Vendor("standard2012", sm4_gcm=None, cipher_bytes=1),
        Vendor("ehc"),
        Vendor(
            "gmssl",  # GmSSL and SoftSDF
            sm4_gcm=None,
            cipher_bytes=255,
            wrap_mode=0x02,
            has_ecb=False,
            hmac_by_mac=True,
            errors={0x01000100: "wrong password, or no such file (SoftSDF)"},
        ),
        Vendor(
            "sansec",  # the older interface, as GmSSL maps it
            sm4=0x2000,
            sm4_gcm=None,
            cipher_bytes=136,
            cipher_leads_with_length=True,
        ),
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
