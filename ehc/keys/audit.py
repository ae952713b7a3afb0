"""The audit log (审计日志): records in a chain of SM3 digests, a Merkle tree over them, checkpoints to be signed.

A record is one line of JSON; its last field is SM3 of the line before it, and `prev` repeats that of the record before:

    {"seq":7,"at":1767225600,"who":"wang","role":"MANAGER","act":"change","what":{…},"prev":"…","hash":"…"}

Leaves and nodes of the tree are those of RFC 9162 (2.1), with SM3. Writing alone stands here and in store/audit_log.py;
audit_verifier.py reads the same layout with code of its own.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ehc.crypto import sm3
from ehc.errors import KeyringError

ZERO = "0" * 64
Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Role(enum.StrEnum):
    """Who acts; the names of SGD_ROLE_* in GM/T 0006."""

    SUPER_MANAGER = "SUPER_MANAGER"
    MANAGER = "MANAGER"  # 管理员: makes, changes, destroys keys
    AUDIT_MANAGER = "AUDIT_MANAGER"
    AUDITOR = "AUDITOR"  # 审计员: reads and verifies this log, touches no key
    OPERATOR = "OPERATOR"  # 操作员: runs the service
    USER = "USER"  # a custodian of a component or a share


KEY_CODES = {
    "generate": 0x101,
    "dispense": 0x102,
    "import": 0x103,
    "export": 0x104,
    "component": 0x106,  # of a key that is composed
    "compose": 0x106,
    "backup": 0x108,
    "restore": 0x109,
    "destroy": 0x10A,
}
"""SGD_KEY_* of GM/T 0006 for what is done to a key; what the standard has no code for goes without."""


class Actor(msgspec.Struct, frozen=True):
    """Who did something. name: of a person or a process, no document and no secret."""

    name: str
    role: Role = Role.MANAGER


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of the log, without its own hash."""

    seq: Annotated[int, Meta(ge=0)]
    at: int  # seconds since 1970
    who: str
    role: Role
    act: str
    what: dict[str, Any]
    prev: Hex32


class _Line(Record, frozen=True, forbid_unknown_fields=True, kw_only=True):
    hash: Hex32


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the log was at one moment. signature: SM2 over `text` by public_key (x ‖ y)."""

    log: Hex32  # hash of the first record: which log this is
    size: Annotated[int, Meta(ge=1)]
    root: Hex32
    head: Hex32  # hash of the last record
    at: int
    public_key: Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]
    signature: str = ""

    def text(self) -> bytes:
        """What is signed."""
        return b"ehc audit checkpoint v1\n" + msgspec.json.encode(msgspec.structs.replace(self, signature=""))


def line_of(record: Record) -> bytes:
    """The whole line, its newline included."""
    body = msgspec.json.encode(record)[:-1]
    return body + b',"hash":"' + sm3(body).hex().encode() + b'"}\n'


def read_line(line: bytes) -> tuple[Record, str]:
    """A record and its hash, to go on from. Raises KeyringError for a line that was changed."""
    try:
        found = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise KeyringError("its last line is no record: `ehc audit verify` says what is wrong") from None
    record = Record(**{name: getattr(found, name) for name in Record.__struct_fields__})
    if line_of(record) != line:
        raise KeyringError("its last record was changed: `ehc audit verify` says what is wrong")
    return record, found.hash


def leaf(line: bytes) -> bytes:
    """line: with its newline."""
    return sm3(b"\0" + line)


def _node(left: bytes, right: bytes) -> bytes:
    return sm3(b"\1" + left + right)


def root(leaves: Iterable[bytes]) -> bytes:
    """Merkle tree hash of the leaves: whole subtrees are kept, as the bits of their number say."""
    peaks: list[tuple[int, bytes]] = []
    for one in leaves:
        size, top = 1, one
        while peaks and peaks[-1][0] == size:
            top = _node(peaks.pop()[1], top)
            size *= 2
        peaks.append((size, top))
    if not peaks:
        return sm3(b"")
    top = peaks.pop()[1]
    while peaks:
        top = _node(peaks.pop()[1], top)
    return top


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The nodes that lead from leaf `index` to the root, lowest first (RFC 9162, 2.1.3.1)."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*inclusion_path(leaves[:split], index), root(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), root(leaves[:split])]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """That a record stands in the log of a checkpoint; verified without the log."""

    line: str
    path: list[Hex32]
    checkpoint: Checkpoint


def signed_checkpoint(lines: Sequence[bytes], at: int, public_key: bytes, sign: Callable[[bytes], bytes]) -> Checkpoint:
    """lines: the whole log, each with its newline. sign: SM2, r ‖ s."""
    made = Checkpoint(
        log=read_line(lines[0])[1],
        size=len(lines),
        root=root(map(leaf, lines)).hex(),
        head=read_line(lines[-1])[1],
        at=at,
        public_key=public_key.hex(),
    )
    return msgspec.structs.replace(made, signature=sign(made.text()).hex())


def proof(lines: Sequence[bytes], seq: int, checkpoint: Checkpoint) -> Proof:
    """lines: the log, at least as long as the checkpoint says."""
    path = inclusion_path([leaf(line) for line in lines[: checkpoint.size]], seq)
    return Proof(line=lines[seq].decode(), path=[node.hex() for node in path], checkpoint=checkpoint)
