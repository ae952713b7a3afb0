"""SM4-ECB (GB/T 32907), as the identifiers use it: whole blocks, no padding of its own."""

from __future__ import annotations

from ehc import _native
from ehc._native import KeyHandle


def sm4_ecb_encrypt(key: bytes | KeyHandle, data: bytes) -> bytes:
    """Encrypt n·16 bytes. Raises ValueError for another length of key or data."""
    return _native.sm4_ecb(key, data, False)


def sm4_ecb_decrypt(key: bytes | KeyHandle, data: bytes) -> bytes:
    """Decrypt n·16 bytes. Raises ValueError for another length of key or data."""
    return _native.sm4_ecb(key, data, True)
