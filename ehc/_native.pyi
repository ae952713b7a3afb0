import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from mmap import mmap
from typing import Any, Self, TypeVar, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

from ehc.crypto.batch import Row
from ehc.crypto.columns import ArrowArray
from ehc.crypto.compact import CompactFields, CompactVerdict
from ehc.crypto.token import Fields, Window
from ehc.model import CardStatus, Reason, Verdict

_T = TypeVar("_T")

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
class TokenChecker:
    def __init__(
        self,
        verdict: type[Verdict],
        reasons: dict[int, Reason],
        seconds: Callable[[datetime | int], int],
        default: Window,
    ) -> None: ...
    def check(
        self,
        payload: str | bytes,
        protection_key: bytes | KeyHandle,
        now: datetime | int,
        *,
        window: Window | None = None,
        profiles: int = 1,
    ) -> Verdict: ...

@final
class CompactChecker:
    def __init__(
        self, verdict: type[CompactVerdict], reasons: dict[int, Reason], seconds: Callable[[datetime | int], int]
    ) -> None: ...
    def check(
        self,
        payload: str | bytes,
        keys: CompactKey | Mapping[int, CompactKey],
        now: datetime | int,
        tolerance: int,
    ) -> CompactVerdict: ...

@final
class CheckedBatch:
    @property
    def status(self) -> NDArray[np.uint8]: ...
    @property
    def expiry(self) -> NDArray[np.int64]: ...
    def __new__(
        cls,
        checker: TokenChecker,
        payloads: Iterable[str | bytes],
        key: bytes | KeyHandle,
        now: datetime | int,
        window: Window,
        profiles: int,
    ) -> Self: ...
    def row(self, i: int) -> Verdict: ...

@final
class CompactKey:
    """The alias and mac keys that a protection key gives for compact codes (profile E2), derived once; they can be used
    and not read."""

    @property
    def version(self) -> int: ...
    def __new__(cls, protection_key: bytes | bytearray | memoryview, version: int = 1) -> Self: ...
    def open_alias(self, alias: bytes, day: int) -> int | None: ...

@final
class Sm2Key:
    @property
    def private(self) -> bool: ...
    @property
    def point(self) -> bytes: ...
    def __new__(cls, raw: bytes | bytearray | memoryview | None) -> Self: ...
    def write_raw(self, into: bytearray) -> None: ...
    def e(self, message: bytes | bytearray | memoryview | None, user_id: bytes | bytearray | memoryview) -> bytes: ...
    def sign(self, e: bytes | bytearray | memoryview) -> bytes: ...
    def verify(self, signature: bytes | bytearray | memoryview, e: bytes | bytearray | memoryview) -> bool: ...
    def encrypt(self, message: bytes | bytearray | memoryview) -> bytes: ...
    def decrypt(self, ciphertext: bytes | bytearray | memoryview) -> bytearray: ...
    def agree(
        self,
        once: Sm2Key,
        other: Sm2Key,
        other_once: Sm2Key,
        z_initiator: bytes,
        z_responder: bytes,
        initiator: bool,
        length: int,
    ) -> tuple[bytearray, bytes, bytes]: ...

@disjoint_base
class Slots:
    def __new__(cls, memory: mmap | bytearray) -> Self: ...

@final
class Claims(Slots):
    """One set of taken codes."""

@final
class CodeSets:
    def __init__(self, secret: bytes, new: Callable[[int, int, int], Claims]) -> None: ...
    def claim(self, code: bytes, issued_at: int, until: int, holder: int, uses: int) -> int: ...
    def claim_many(
        self,
        codes: Iterable[bytes],
        issued_at: Iterable[int],
        until: Iterable[int],
        uses: Iterable[int],
        holder: int,
    ) -> list[int]: ...
    def put(self, code: bytes, issued_at: int, until: int, holder: int) -> None: ...
    def holder(self, code: bytes, issued_at: int, until: int) -> int | None: ...
    def forget(self, time: int) -> None: ...

@final
class KeptStatuses:
    def __init__(self, counters: Counters, most: int) -> None: ...
    def recall(self, card: str | int, now: int) -> CardStatus | None: ...
    def changed(self, card: str | int) -> None: ...
    def before(self, cards: Iterable[str | int]) -> tuple[int, list[int]]: ...
    def keep(
        self, card: str | int, status: CardStatus, turn: int, counted: int, until: int, usable_until: int
    ) -> None: ...
    def renew(self, turn: int) -> None: ...

@final
class HostCodes:
    def __init__(
        self,
        cards: KeptStatuses,
        issued: CodeSets,
        claimed: CodeSets,
        claimed_at: CodeSets,
        opened_at: int,
        name: Callable[[int, str], None],
    ) -> None: ...

@disjoint_base
class _Opener:
    def __init__(self, *args: Any, **more: Any) -> None: ...

@disjoint_base
class _Learner(_Opener):
    def __init__(self, *args: Any, **more: Any) -> None: ...
    def learn(
        self,
        institution: str | None,
        body: bytes,
        payload: str,
        *,
        head: bytes,
        profiles: frozenset[str],
        uses: int,
        holder: int,
        name: str,
        seen: tuple[str, str] | None,
    ) -> None: ...
    def unlearn(self) -> None: ...

@final
class Shortcut(_Learner):
    def __init__(self, host: HostCodes, **more: Any) -> None: ...
    def verify(self, body: bytes, institution: str | None, now: int, fast: int | None) -> bytes | None: ...

@final
class OfflineShortcut(_Opener):
    def __init__(
        self,
        host: HostCodes,
        *,
        lend_active: Callable[[int], CompactKey],
        verdict: Callable[[CardStatus, str], Any],
        **more: Any,
    ) -> None: ...
    def accept(
        self,
        checks: Sequence[Any],
        drift: int,
        now: int,
        oldest: int,
        newest: int,
        rules: Mapping[tuple[str, Any], tuple[bool, int]],
        holder: int,
        place: str,
    ) -> list[Any]: ...

@final
class RedisQuestions:
    def __init__(self, sha: bytes, keep_after: int) -> None: ...
    def pack(
        self,
        tag: bytes,
        code: bytes,
        issued_at: int,
        until: int,
        must_be_issued: bool,
        uses: int,
        holder: int,
        place: str,
        now: int,
        turn: int,
        status: bytes = b"",
        keep: int = 0,
    ) -> bytes: ...
    def claim(self, tag: bytes, code: bytes, until: int, holder: int, place: str, now: int) -> bytes: ...
    def watch(self, tag: bytes) -> bytes: ...

@final
class WatchedCards:
    def __init__(self, seconds: int) -> None: ...
    def forget(self, keys: list[bytes] | None) -> None: ...

@final
class Shown: ...

@final
class Asked:
    @property
    def tag(self) -> bytes: ...
    @property
    def command(self) -> bytes: ...
    @property
    def ignored(self) -> int: ...
    future: asyncio.Future[bytes | None]
    def conclude(self, told: Any) -> None: ...
    def fail(self, error: Exception) -> None: ...

@final
class RedisShortcut(_Learner):
    def __init__(
        self,
        questions: RedisQuestions,
        watched: WatchedCards,
        *,
        tag: Callable[[str | int], bytes],
        read: Callable[[bytes], tuple[CardStatus, int, int]],
        **more: Any,
    ) -> None: ...
    def ask(
        self, body: bytes, institution: str | None, now: int, fast: int | None, turn: int, watches: bool
    ) -> Asked | None: ...

@final
class Buckets(Slots):
    def bucket(self, code: int, rate: float, burst: float) -> Bucket | None: ...

@final
class Bucket:
    def __init__(self, *args: object, **kwargs: object) -> None: ...
    def pay(self, now: float, count: int) -> None: ...

def take_each(buckets: tuple[Bucket, ...], now: float) -> float: ...
def wall_seconds() -> int: ...

@final
class Door:
    @property
    def caller(self) -> Any: ...
    @property
    def scopes(self) -> frozenset[Any]: ...
    @property
    def ends_at(self) -> int | None: ...
    @property
    def buckets(self) -> tuple[Bucket, ...]: ...
    def __init__(
        self, caller: Any, scopes: frozenset[Any], ends_at: int | None, buckets: tuple[Bucket, ...]
    ) -> None: ...

@final
class Doors:
    until: float
    asked: bool
    def __init__(self, most: int) -> None: ...
    def find(self, authorization: str | None) -> Door | None: ...
    def add(self, authorization: str | None, door: Door) -> None: ...
    def clear(self) -> None: ...

@final
class Operation:
    @property
    def statuses(self) -> dict[int, int]: ...
    @property
    def seconds(self) -> list[float]: ...
    def __init__(self, bounds: Sequence[float]) -> None: ...
    def request(self, status: int, seconds: float) -> None: ...

@final
class PlainRequests:
    def __init__(self, doors: Doors, scope: Any, **more: Any) -> None: ...
    def enter(self, header: Callable[[str], str | None]) -> PlainRequest | None: ...

@final
class PlainRequest:
    @property
    def caller(self) -> Any: ...
    @property
    def client_time(self) -> str | None: ...
    @property
    def request_id(self) -> str: ...
    @property
    def fast(self) -> int | None: ...
    @property
    def started(self) -> float: ...
    def accept(self, proto: Any, answer: bytes) -> None: ...

@final
class Counters:
    def __new__(cls, memory: mmap | NDArray[np.uint32]) -> Self: ...
    def add_one(self, i: int) -> None: ...

@final
class MacKey:
    """An HMAC-SM3 key that can be used and not read."""

    @property
    def version(self) -> int: ...
    def __new__(cls, raw: bytes | bytearray | memoryview, version: int = 1) -> Self: ...
    def mac(self, data: bytes | bytearray | memoryview) -> bytes:
        """32 bytes."""

@final
class HostMachine:
    """The machine's end of the host protocol."""

    @property
    def counts(self) -> NDArray[np.uint32]: ...
    def __new__(
        cls,
        security: dict[int, tuple[KeyHandle, int]],
        protection: dict[int, tuple[KeyHandle, int]],
        text: bytes,
        refuses: int = 0,
        counts: NDArray[np.uint32] | None = None,
    ) -> Self: ...
    def answer(
        self, frames: bytes | bytearray | memoryview, begin: int, end: int, answers: bytearray | memoryview
    ) -> tuple[int, int]: ...

@final
class HostRows:
    """The client's end of the host protocol, for a batch."""

    def __new__(
        cls,
        data: NDArray[np.uint8],
        offsets: NDArray[np.uint32],
        id_lengths: NDArray[np.uint8],
        card_id_lengths: NDArray[np.uint8],
        mindex: NDArray[np.uint8],
        card_id: NDArray[np.uint8],
        codes: NDArray[np.uint8],
    ) -> Self: ...
    def ask_digests(self, begin: int, end: int) -> NDArray[np.uint8]: ...
    def ask_cards(self, begin: int, end: int, version: int) -> NDArray[np.uint8]: ...
    def take(
        self, digests: bool, begin: int, end: int, answers: bytes | bytearray | memoryview, at: int, stop: int
    ) -> tuple[int, int] | None: ...

def fingerprint(secret_and_key: bytes) -> int: ...
def tiers() -> list[tuple[str, bool]]: ...
def tier() -> str: ...
def sm3(data: bytes | bytearray | memoryview) -> bytes: ...
def hmac_sm3(key: bytes | bytearray | memoryview, data: bytes | bytearray | memoryview) -> bytes: ...
def sm4_blocks(keys: NDArray[np.uint8], blocks: NDArray[np.uint8]) -> None: ...
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
def text_bytes(payload: str | bytes | bytearray | memoryview) -> bytes: ...
def parse_payload(payload: str | bytes) -> tuple[int, int, int, Fields | None]: ...
def make_token(key: bytes | KeyHandle, time: int) -> str | None: ...
def make_tokens(key: bytes | KeyHandle, times: NDArray[np.int64]) -> tuple[NDArray[np.bytes_], NDArray[np.uint8]]: ...
def make_bound(key: bytes | KeyHandle, card_id: bytes, fields: tuple[int, int, int, int, int]) -> str | None: ...
def unhex(text: bytes) -> bytes | None: ...
def is_plain_resident_id(text: str) -> bool: ...
def record_rows(
    lines: Iterable[_T],
    domains: dict[str, bool],
    latin: Callable[[str], str],
    other: Callable[[_T], tuple[bytes, list[str], list[str]] | None],
) -> tuple[list[bytes], bytes, NDArray[np.int64], NDArray[np.int64]]: ...
def base45_encode(data: bytes) -> str: ...
def base45_decode(text: bytes) -> tuple[int, int, bytes | None]: ...
def parse_compact(text: bytes) -> tuple[int, int, CompactFields | None]: ...
def check_compact_batch(
    key: CompactKey, payloads: Iterable[str | bytes], now: int, tolerance: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int64]]: ...
def open_compacts(
    key: CompactKey, payloads: Iterable[str | bytes]
) -> list[tuple[int, int, int | None, bytes] | None]: ...
def make_compact(key: CompactKey, account: int, fields: tuple[int, int, int, int, int, int]) -> str | None: ...
def equal(a: bytes, b: bytes) -> bool: ...
def wipe(secret: bytearray | memoryview) -> None: ...
def sm2_to_der(signature: bytes | bytearray | memoryview) -> bytes: ...
def sm2_of_der(der: bytes | bytearray | memoryview) -> bytes | None: ...
def sdf_create(home: bytes, serial: bytes) -> int: ...
def sdf_add_pair(home: bytes, index: int, password: bytes | bytearray) -> int: ...
def sdf_unlock_pair(home: bytes, index: int) -> int: ...
def sdf_add_kek(home: bytes, index: int, raw: bytes | bytearray | None) -> int: ...
