"""Records as lines of a file (NDJSON), and many of them as columns: bodies and keys, as a store keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ehc.crypto import record_rows
from ehc.errors import InputError, NotFound
from ehc.index.domain import Domains
from ehc.index.keys import Keys, block_texts, identifier_texts, keys_of_lines, keys_of_texts
from ehc.index.names import latin
from ehc.index.record import FIELDS, Record, encode, record_of_texts


class Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What a source says of one person. identifiers: domain -> number. truth: who it is, of invented people."""

    source: str
    local_id: str
    name: str = ""
    sex: str = ""
    birth_date: str = ""
    phone: str = ""
    address: str = ""
    mother: str = ""
    birth_order: str = ""
    mother_document: str = ""
    identifiers: dict[str, str] = {}
    truth: int = 0


class Columns(NamedTuple):
    """Records, row for row, without an object a row."""

    bodies: list[bytes]  # record.encode
    keys: NDArray[np.int64]  # of all rows, one row's after the other's; a row's as in keys.Keys
    ends: NDArray[np.int64]  # [n] where a row's keys end
    numbers: NDArray[np.int64]  # [n] how many of them are identifiers'

    def __len__(self) -> int:
        return len(self.bodies)

    def keys_at(self, row: int) -> Keys:
        begin, end = int(self.ends[row - 1]) if row else 0, int(self.ends[row])
        keys, split = self.keys[begin:end].tolist(), int(self.numbers[row])
        return Keys(keys[:split], keys[split:])

    def cut(self, begin: int, end: int) -> Columns:
        """These rows."""
        first, last = (int(self.ends[row - 1]) if row else 0 for row in (begin, end))
        return Columns(
            self.bodies[begin:end], self.keys[first:last], self.ends[begin:end] - first, self.numbers[begin:end]
        )

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        if len(parts) == 1:
            return parts[0]
        before = np.cumsum([0, *(len(one.keys) for one in parts)])
        ends = [one.ends + start for one, start in zip(parts, before.tolist(), strict=False)]
        bodies = [body for one in parts for body in one.bodies]
        keys, numbers = ([column[at] for column in parts] for at in (1, 3))
        return cls(bodies, *map(np.concatenate, (keys, ends, numbers)))


def columns_of(records: Iterable[Record]) -> Columns:
    bodies, texts, ends, numbers = [], list[str](), [], []
    for body, own, blocks in map(_written, records):
        texts += own
        texts += blocks
        bodies.append(body)
        numbers.append(len(own))
        ends.append(len(texts))
    return Columns(bodies, keys_of_texts(texts), np.array(ends, np.int64), np.array(numbers, np.int64))


Written = tuple[bytes, list[str], list[str]]
"""What is kept of a record, and what its keys stand for: its numbers and its blocks."""


def _written(record: Record) -> Written:
    return encode(record), identifier_texts(record), block_texts(record)


class Refused(msgspec.Struct, frozen=True, array_like=True):
    """A line that is no record. reason: without anything that it says."""

    number: int
    reason: str


_decode = msgspec.json.Decoder(Line).decode
_fields = attrgetter(*FIELDS)


def record_of(domains: Domains, line: Line) -> Record:
    """Raises InputError, NotFound for a domain that is not registered."""
    numbers, mother = line.identifiers.items(), line.mother_document
    return record_of_texts(domains, line.source, line.local_id, _fields(line), numbers, mother_document=mother)


def prepare_lines(domains: Domains, lines: Iterable[bytes], first: int) -> tuple[Columns, list[Refused]]:
    """first: the number of the first line, for what is refused."""
    rows = _Rows(domains, lines, first)
    bodies, texts, ends, numbers = record_rows(rows, domains.plain, latin, rows.written)
    return Columns(bodies, keys_of_lines(texts), ends, numbers), rows.refused


class _Rows:
    """Lines of a file, taken in once."""

    def __init__(self, domains: Domains, lines: Iterable[bytes], first: int) -> None:
        self._domains, self._lines, self._first, self._number = domains, lines, first, first
        self.refused: list[Refused] = []

    def __iter__(self) -> Iterator[Line]:
        for number, line in enumerate(self._lines, self._first):
            self._number = number
            try:
                yield _decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._refuse(f"no record: {error}")

    def written(self, line: Line) -> Written | None:
        """Of the line that was given last; None: it is refused."""
        try:
            return _written(record_of(self._domains, line))
        except (InputError, NotFound) as error:
            self._refuse(str(error))
            return None

    def _refuse(self, reason: str) -> None:
        self.refused.append(Refused(self._number, reason))
