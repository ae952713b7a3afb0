"""Bodies full of people, NDJSON or CSV, as columns: block for block, so that memory does not grow with the body.

A block is read when the one before has been answered: whoever sends waits for whoever registers.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from anyio import from_thread

from ehc.cards.bulk_registration import MOST, columns_of
from ehc.cards.issuing import PersonColumns
from ehc.store.csv_lines import RawLines, raw_lines
from ehc.web.decoding import is_no_utf_8
from ehc.web.wire.bulk import PersonRow

BLOCK_BYTES = 512 * 1024
_ROW, _ROWS = msgspec.json.Decoder(PersonRow), msgspec.json.Decoder(list[PersonRow])


class Refused(NamedTuple):
    """A row that is no person at all."""

    row: int
    field: str
    reason: str


class PeopleBlock(NamedTuple):
    """At most MOST people with the numbers of their rows, and the rows that are none."""

    people: PersonColumns
    rows: Sequence[int]
    refused: Sequence[Refused]


class BodyReader(io.RawIOBase):
    """A body as a file, for a worker thread of the event loop that the pieces come from."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Raises what reading the body raises."""
        while not self._left:
            piece = from_thread.run(self._next)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)

    async def _next(self) -> bytes | None:
        return await anext(self._pieces, None)


Reader = Callable[[io.BufferedReader], Iterator[PeopleBlock]]


def csv_people(body: io.BufferedReader) -> Iterator[PeopleBlock]:
    """Raises FileError for a header without the three columns."""
    from ehc.store.people_files import CsvPeople, Encoding  # noqa: PLC0415  30 MiB of Arrow, for these bodies alone

    file = CsvPeople(body, "the body", (), Encoding.UTF_8, BLOCK_BYTES)
    for block in file.blocks(file.start):
        refused = [Refused(*one) for one in block.refused]
        yield from _slices(block.people, block.lines.tolist(), refused)


def _slices(people: PersonColumns, rows: list[int], refused: list[Refused]) -> Iterator[PeopleBlock]:
    for begin in range(0, len(rows), MOST):
        end = min(begin + MOST, len(rows))
        part = PersonColumns(*((data, offsets[begin : end + 1]) for data, offsets in people))
        before = [one for one in refused if end == len(rows) or one.row < rows[end]]
        refused = refused[len(before) :]
        yield PeopleBlock(part, rows[begin:end], before)
    if refused:
        yield PeopleBlock(columns_of([]), (), refused)


def ndjson_people(body: io.BufferedReader) -> Iterator[PeopleBlock]:
    """One object a line; empty lines are nobody."""
    for raw in raw_lines(body, 0, 1, BLOCK_BYTES):
        if raw.data is None:
            yield PeopleBlock(columns_of([]), (), [Refused(raw.first, "", "the line is too long")])
            continue
        rows, texts = _lines(raw)
        found, refused = decode_rows(texts, rows)
        yield from _slices(columns_of(found), _kept(rows, refused), refused)


def _lines(raw: RawLines) -> tuple[list[int], list[bytes]]:
    lines = (raw.data or b"").split(b"\n")
    numbered = [(row, line) for row, line in enumerate(lines, raw.first) if line.strip()]
    return [row for row, _ in numbered], [line for _, line in numbered]


def _kept(rows: list[int], refused: list[Refused]) -> list[int]:
    gone = {one.row for one in refused}
    return [row for row in rows if row not in gone] if gone else rows


def batch_people(values: Sequence[msgspec.Raw]) -> PeopleBlock:
    """The rows of one JSON array. All at once where all are people: each is a value of its own already."""
    rows = list(range(len(values)))
    try:
        people = _ROWS.decode(b"[" + b",".join(values) + b"]")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found, refused = decode_rows([*map(bytes, values)], rows)
        return PeopleBlock(columns_of(found), _kept(rows, refused), refused)
    return PeopleBlock(columns_of([(one.id_type, one.id_number, one.name) for one in people]), rows, ())


def decode_rows(texts: Sequence[bytes], rows: Sequence[int]) -> tuple[list[tuple[str, str, str]], list[Refused]]:
    """JSON objects as people. One by one: a text that is none must not lend its ends to the next."""
    people, refused, decode = [], [], _ROW.decode
    for row, text in zip(rows, texts, strict=True):
        try:
            one = decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            refused.append(Refused(row, "", _reason(error)))
        else:
            people.append((one.id_type, one.id_number, one.name))
    return people, refused


def _reason(error: Exception) -> str:
    if is_no_utf_8(error):
        return "not UTF-8"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)
