from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ehc.crypto.batch import Row
from ehc.crypto.token import Checked, Fields

class KeyHandle:
    """A 16-byte key that can be used and not read: no attribute, repr or pickle gives its bytes."""

    purpose: str
    version: int
    def __init__(
        self, raw: bytes | bytearray | memoryview, purpose: str = "security_key", version: int = 1
    ) -> None: ...
    @property
    def check_value(self) -> str:
        """First 3 bytes of SM4 of the zero block, 6 upper-case hex digits."""

class CheckedBatch:
    status: NDArray[np.uint8]
    def __init__(
        self,
        key: bytes | KeyHandle,
        text: bytes,
        offsets: NDArray[np.uint32],
        now: int,
        tolerance: int,
        validity: int,
        issue: bool,
    ) -> None: ...
    def row(self, i: int) -> Checked: ...
    def expiries(self) -> NDArray[np.int64]: ...

def tiers() -> list[tuple[str, bool]]: ...
def tier() -> str: ...
def sm3(data: bytes | bytearray | memoryview) -> bytes: ...
def hmac_sm3(key: bytes | bytearray | memoryview, data: bytes | bytearray | memoryview) -> bytes: ...
def sm4_ecb(key: bytes | KeyHandle, data: bytes, decrypt: bool) -> bytes: ...
def derive(
    key: bytes | KeyHandle, data: NDArray[np.uint8], offsets: NDArray[np.uint32], id_lengths: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]: ...
def pack_rows(
    source: Iterable[Row],
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint8], list[tuple[int, str]]]: ...
def pack_columns(
    type_data: NDArray[np.uint8],
    type_offsets: NDArray[np.int32],
    number_data: NDArray[np.uint8],
    number_offsets: NDArray[np.int32],
    name_data: NDArray[np.uint8],
    name_offsets: NDArray[np.int32],
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8]]: ...
def hex_upper(rows: NDArray[np.uint8]) -> bytes: ...
def parse_payload(text: bytes) -> tuple[int, int, int, Fields | None]: ...
def check_token(
    key: bytes | KeyHandle, text: bytes, now: int, tolerance: int, validity: int, issue: bool
) -> Checked: ...
def make_token(key: bytes | KeyHandle, time: int) -> str | None: ...
def equal(a: bytes, b: bytes) -> bool: ...
def wipe(secret: bytearray | memoryview) -> None: ...
