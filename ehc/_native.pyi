from collections.abc import Iterable
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from ehc.crypto.batch import Row
from ehc.crypto.columns import ArrowArray
from ehc.crypto.token import Checked, Fields

@final
class KeyHandle:
    """A 16-byte key that can be used and not read: no attribute, repr or pickle gives its bytes."""

    @property
    def purpose(self) -> str: ...
    @property
    def version(self) -> int: ...
    def __new__(cls, raw: bytes | bytearray | memoryview, purpose: str = "security_key", version: int = 1) -> Self: ...
    @property
    def check_value(self) -> str:
        """First 3 bytes of SM4 of the zero block, 6 upper-case hex digits."""

@final
class CheckedBatch:
    @property
    def status(self) -> NDArray[np.uint8]: ...
    def __new__(
        cls,
        key: bytes | KeyHandle,
        payloads: Iterable[str | bytes],
        now: int,
        tolerance: int,
        validity: int,
        issue: bool,
    ) -> Self: ...
    def row(self, i: int) -> Checked: ...
    def expiries(self) -> NDArray[np.int64]: ...

def tiers() -> list[tuple[str, bool]]: ...
def tier() -> str: ...
def sm3(data: bytes | bytearray | memoryview) -> bytes: ...
def hmac_sm3(key: bytes | bytearray | memoryview, data: bytes | bytearray | memoryview) -> bytes: ...
def sm4_ecb(key: bytes | KeyHandle, data: bytes, decrypt: bool) -> bytes: ...
def pack_rows(
    source: Iterable[Row],
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint8], list[tuple[int, str]]]: ...
def derive_rows(
    key: bytes | KeyHandle, source: Iterable[Row]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], int, NDArray[np.uint8], list[tuple[int, str]]]: ...
def check_rows(data: NDArray[np.uint8], offsets: NDArray[np.uint32], id_lengths: NDArray[np.uint8]) -> None: ...
def derive(
    key: bytes | KeyHandle,
    data: NDArray[np.uint8],
    offsets: NDArray[np.uint32],
    id_lengths: NDArray[np.uint8],
    mindex: NDArray[np.uint8],
    card_id: NDArray[np.uint8],
    status: NDArray[np.uint8],
    begin: int,
    end: int,
) -> int: ...
def rekey(
    old_key: bytes | KeyHandle,
    new_key: bytes | KeyHandle,
    data: NDArray[np.uint8],
    offsets: NDArray[np.uint32],
    id_lengths: NDArray[np.uint8],
    old_card_id: NDArray[np.uint8],
    new_card_id: NDArray[np.uint8],
    status: NDArray[np.uint8],
    begin: int,
    end: int,
) -> int: ...
def pack_columns(
    *columns: NDArray[np.uint8] | NDArray[np.int32],
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8]]: ...
def join_columns(
    *columns: NDArray[np.uint8] | NDArray[np.int32],
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint8]]: ...
def card_lines(
    lines: NDArray[np.int64],
    mindex: NDArray[np.uint8] | None,
    card_id: NDArray[np.uint8],
    card_id_lengths: NDArray[np.uint8],
) -> NDArray[np.uint8]: ...
def arrow_text(
    array: ArrowArray,
) -> tuple[NDArray[np.uint8], NDArray[np.int32] | NDArray[np.int64], NDArray[np.uint8] | None, int] | None: ...
def hex_upper(rows: NDArray[np.uint8]) -> bytes: ...
def parse_payload(text: bytes) -> tuple[int, int, int, Fields | None]: ...
def check_token(
    key: bytes | KeyHandle, text: bytes, now: int, tolerance: int, validity: int, issue: bool
) -> Checked: ...
def make_token(key: bytes | KeyHandle, time: int) -> str | None: ...
def equal(a: bytes, b: bytes) -> bool: ...
def wipe(secret: bytearray | memoryview) -> None: ...
