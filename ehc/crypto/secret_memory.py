"""Keeping keys out of core dumps and swap, on Linux: what wiping cannot do while they are in use.

A process that opens a keyring writes no core dump and cannot be looked into by others of the same user (prctl
PR_SET_DUMPABLE); the pages of its keys are locked (mlock) and left out of dumps (MADV_DONTDUMP).
"""

from __future__ import annotations

import ctypes
import mmap
import resource
import sys

from ehc._native import CompactKey, KeyHandle

_PR_SET_DUMPABLE = 4
_MADV_DONTDUMP = 16
_LIBC = ctypes.CDLL(None, use_errno=True)


def guard_process() -> None:
    """No core dump of this process, no debugger of the same user. Said again it does nothing."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _LIBC.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def hold(secret: KeyHandle | CompactKey | bytearray) -> bool:
    """Lock the pages that hold a key, and leave them out of dumps. False when the system does not let this process lock
    so much (RLIMIT_MEMLOCK): then they may be swapped out."""
    if isinstance(secret, bytearray):
        size = len(secret)
        start = ctypes.addressof(ctypes.c_char.from_buffer(secret)) if size else 0
    else:
        start, size = id(secret), sys.getsizeof(secret)  # the key stands inside the object
    if not size:
        return True
    page = start - start % mmap.PAGESIZE
    length = start + size - page
    _LIBC.madvise(ctypes.c_void_p(page), ctypes.c_size_t(length), _MADV_DONTDUMP)
    return bool(_LIBC.mlock(ctypes.c_void_p(page), ctypes.c_size_t(length)) == 0)
