"""SM4-ECB (GB/T 32907), as the identifiers use it: whole blocks, no padding of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ehc import _native
from ehc._native import KeyHandle


def sm4_ecb_encrypt(key: bytes | KeyHandle, data: bytes) -> bytes:
    """Encrypt n·16 bytes. Raises ValueError for another length of key or data."""
    return _native.sm4_ecb(key, data, False)


def sm4_ecb_decrypt(key: bytes | KeyHandle, data: bytes) -> bytes:
    """Decrypt n·16 bytes. Raises ValueError for another length of key or data."""
    return _native.sm4_ecb(key, data, True)


def sm4_encrypt_each(keys: NDArray[np.uint8], blocks: NDArray[np.uint8]) -> None:
    """Encrypt each block in place under a key of its own, in lanes. keys, blocks: [n, 16].

    Raises ValueError for other shapes.
    """
    _native.sm4_blocks(keys, blocks)
