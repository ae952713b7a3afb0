"""Verifying an audit log: which record was changed, dropped, moved or cut off. Nothing of the writing code is used.

The layout stands in audit.py. Read here are bytes alone, so that a copy of the two files is verified anywhere:

    V1  every line is a record and carries SM3 of itself: else it was changed
    V2  the numbers run 0, 1, 2, …: else records are missing, moved or doubled
    V3  each record repeats the hash of the one before: else one of the two was put in place of another
    V4  each checkpoint is signed by the key, and as many records as it counts have its root and head
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ehc.crypto import sm3

Verify = Callable[[bytes, bytes, bytes], bool]
"""public key (x ‖ y), signature (r ‖ s), message -> whether SM2 accepts it."""

_TAIL = re.compile(rb',"hash":"([0-9a-f]{64})"}$')


class Finding(NamedTuple):
    """line: of the file, from 1."""

    line: int
    what: str


@dataclass
class Report:
    """findings: empty when the log is whole. unfinished: bytes of a last line without its end, which a crash leaves;
    such a record was never acknowledged. covered: records under the last good checkpoint; those after it could be cut
    off unseen."""

    records: int = 0
    checkpoints: int = 0
    covered: int = 0
    unfinished: int = 0
    keys: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


class _Line(NamedTuple):
    line: int
    seq: int
    prev: str
    hash: str


def verify(log: bytes, checkpoints: bytes, check: Verify, public_key: bytes | None = None) -> Report:
    """log, checkpoints: the two files. public_key: the one that must have signed; without it, each checkpoint's own is
    taken, and `keys` says which those are."""
    report = Report()
    *lines, tail = log.split(b"\n")
    report.unfinished, report.records = len(tail), len(lines)
    _chain(_intact(lines, report), report)
    _checkpoints(lines, checkpoints, report, lambda at, text: _signed(at, text, check, public_key))
    report.findings.sort(key=lambda found: (not found.line, found.line))  # those that name a line first
    return report


def _intact(lines: list[bytes], report: Report) -> list[_Line]:
    """V1."""
    found = []
    for number, line in enumerate(lines, 1):
        own = _own_hash(line)
        record = _object(line)
        if own is None or not isinstance(record.get("seq"), int):
            report.findings.append(Finding(number, "the record in this line was changed"))
        else:
            found.append(_Line(number, record["seq"], str(record.get("prev")), own))
    return found


def _own_hash(line: bytes) -> str | None:
    tail = _TAIL.search(line)
    return tail[1].decode() if tail and sm3(line[: tail.start()]).hex().encode() == tail[1] else None


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _chain(intact: list[_Line], report: Report) -> None:
    """V2 and V3."""
    say = report.findings.append
    before = _Line(0, -1, "", "0" * 64)
    seen: set[int] = set()
    for one in intact:
        apart, between = one.seq - before.seq, one.line - before.line  # lines between two intact ones were changed
        if one.seq in seen:
            say(Finding(one.line, f"record {one.seq} is there a second time"))
        elif one.seq < before.seq:
            say(Finding(one.line, f"record {one.seq} was moved: it stands after record {before.seq}"))
        elif apart > between:
            say(Finding(one.line, f"{apart - between} of the records {before.seq + 1} to {one.seq - 1} are missing"))
        elif apart < between:
            say(Finding(one.line, f"{between - apart} lines before record {one.seq} are none of this log"))
        elif apart == 1 and one.prev != before.hash:
            say(Finding(one.line, f"record {one.seq} does not follow record {before.seq}: one of them was replaced"))
        seen.add(one.seq)
        before = one


def _checkpoints(
    lines: list[bytes], checkpoints: bytes, report: Report, signed: Callable[[dict[str, Any], bytes], bool]
) -> None:
    """V4."""
    *texts, _ = checkpoints.split(b"\n")
    for number, text in enumerate(texts, 1):
        at = _object(text)
        if not _complete(at) or not signed(at, text):
            report.findings.append(Finding(0, f"checkpoint {number} is not signed by the key: it was changed"))
        elif at["size"] > len(lines):
            report.findings.append(
                Finding(len(lines), f"cut off: checkpoint {number} counts {at['size']} records, {len(lines)} are there")
            )
        elif not _agrees(lines, at):
            span = f"{report.covered} to {at['size'] - 1}"
            report.findings.append(Finding(0, f"a record of {span} is not the one that checkpoint {number} saw"))
        else:
            report.checkpoints += 1
            report.covered = at["size"]
            report.keys.add(at["public_key"])


def _complete(at: dict[str, Any]) -> bool:
    texts = ("log", "root", "head", "public_key", "signature")
    return type(at.get("size")) is int and at["size"] > 0 and all(isinstance(at.get(name), str) for name in texts)


def _signed(at: dict[str, Any], text: bytes, check: Verify, public_key: bytes | None) -> bool:
    """What was signed is the line itself, with an empty signature."""
    message = b"ehc audit checkpoint v1\n" + text.replace(at["signature"].encode(), b"")
    try:
        key, signature = bytes.fromhex(at["public_key"]), bytes.fromhex(at["signature"])
    except ValueError:
        return False
    return (public_key is None or key == public_key) and check(key, signature, message)


def _agrees(lines: list[bytes], at: dict[str, Any]) -> bool:
    first, last = lines[0], lines[at["size"] - 1]
    hashes = [(_TAIL.search(line) or [b"", b""])[1].decode() for line in (first, last)]
    return hashes == [at["log"], at["head"]] and _tree(lines[: at["size"]]).hex() == at["root"]


def _tree(lines: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, level by level: a node without a partner goes up as it is."""
    level = [sm3(b"\x00" + line + b"\n") for line in lines]
    while len(level) > 1:
        pairs = [sm3(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
    return level[0]


def verify_proof(proof: bytes, check: Verify, public_key: bytes | None = None) -> list[str]:
    """What is wrong with an inclusion proof; empty when the record stands in the log that the checkpoint signed
    (RFC 9162, 2.1.3.2)."""
    found = _object(proof)
    at, line, path = found.get("checkpoint"), found.get("line"), found.get("path")
    if not isinstance(at, dict) or not _complete(at) or not isinstance(line, str) or not isinstance(path, list):
        return ["this is no proof"]
    text = json.dumps(at, separators=(",", ":"), ensure_ascii=False).encode()
    if not _signed(at, text, check, public_key):
        return ["its checkpoint is not signed by the key"]
    own, record = _own_hash(line.rstrip("\n").encode()), _object(line.encode())
    if own is None:
        return ["its record was changed"]
    try:
        reached = _climb(sm3(b"\x00" + line.encode()), record.get("seq", 0), at["size"], list(map(bytes.fromhex, path)))
    except (ValueError, TypeError):
        return ["its path is none"]
    return [] if reached is not None and reached.hex() == at["root"] else ["its path does not lead to the checkpoint"]


def _climb(node: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    place, last = index, size - 1
    if not 0 <= index < size:
        return None
    for other in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = sm3(b"\x01" + other + node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = sm3(b"\x01" + node + other)
        place, last = place >> 1, last >> 1
    return node if last == 0 else None
