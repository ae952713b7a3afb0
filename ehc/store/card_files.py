"""Files of cards, CSV and Parquet, and the file of refused rows beside them.

A file on the disk grows in `OUT.part` and gets its name as a whole, by `place`. CSV grows durably (`sync`), so that a
killed run goes on where it was; see run_journal. A Parquet file cannot be appended to, and deriving its rows again is
quicker than keeping them in a second form from which they could be read back: a killed run begins it anew.
All files are made for their owner alone (0600).
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ehc.cards.issuing import Issued
from ehc.crypto import card_lines, hex_digits
from ehc.errors import FileError
from ehc.store.csv_lines import Refusal
from ehc.store.people_files import STANDARD_STREAM, Block, Format, PeopleFile
from ehc.store.run_journal import GrowingPart, beside, open_part, put, sync

ROW_GROUP_ROWS = 1 << 17  # at least, where so many follow; a block of people is never divided

_OURS = {"line", "mindex", "card_id"}  # columns of ours; the others were kept


def card_schema(people: PeopleFile, mindex: bool) -> pa.Schema:
    """line, the kept columns, mindex if wanted, card_id."""
    digests = [pa.field(name, pa.string()) for name in (["mindex"] if mindex else []) + ["card_id"]]
    return pa.schema([pa.field("line", pa.int64()), *people.kept, *digests])


class Cards(NamedTuple):
    """A block of people and what was issued for them."""

    block: Block
    issued: Issued

    def __len__(self) -> int:
        return len(self.block.lines) - len(self.issued.refused)


def card_rows(cards: Cards, schema: pa.Schema) -> pa.RecordBatch:
    """The rows of a block that got a card."""
    block, issued = cards
    columns = [pa.array(block.lines), *block.kept]
    if issued.refused:
        fine = pa.array(issued.card_id_lengths > 0)
        columns = [column.filter(fine) for column in columns]
    if "mindex" in schema.names:
        columns.append(_hex_column(issued.mindex, np.where(issued.card_id_lengths > 0, 32, 0)))
    columns.append(_hex_column(issued.card_id, issued.card_id_lengths))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _hex_column(rows: NDArray[np.uint8], lengths: NDArray[np.integer]) -> pa.Array:
    """Upper-case hex of the first lengths[i] bytes of each row, without the rows of length 0."""
    digits = hex_digits(rows)
    wanted = lengths[lengths > 0] * 2
    if not (lengths == rows.shape[1]).all():
        digits = digits[np.arange(digits.shape[1]) < 2 * lengths[:, None].astype(np.intp)]
    offsets = np.concatenate(([0], np.cumsum(wanted, dtype=np.int32))).astype(np.int32)
    return pa.Array.from_buffers(pa.string(), len(wanted), [None, pa.py_buffer(offsets), pa.py_buffer(digits)])


def csv_header(schema: pa.Schema) -> bytes:
    return _csv_line(schema.names)


def csv_rows(cards: Cards, schema: pa.Schema) -> memoryview | bytes:
    """The lines of a block."""
    if not len(cards):
        return b""
    if not cards.block.kept:
        issued = cards.issued
        mindex = issued.mindex if "mindex" in schema.names else None
        return card_lines(cards.block.lines, mindex, issued.card_id, issued.card_id_lengths).data
    return _csv_rows(card_rows(cards, schema))


def _csv_rows(rows: pa.RecordBatch) -> memoryview:
    """With columns that were kept: only these can need quotes."""
    import pyarrow.compute as pc  # noqa: PLC0415  a twentieth of a second that most runs do not need

    cells = [
        column.cast(pa.string()) if name in _OURS else _csv_cells(column)
        for name, column in zip(rows.schema.names, rows.columns, strict=True)
    ]
    joined = pc.binary_join_element_wise(*cells, ",")
    return memoryview(pc.binary_join_element_wise(joined, "", "\n").buffers()[2])


def _csv_cells(column: pa.Array) -> pa.Array:
    import pyarrow.compute as pc  # noqa: PLC0415

    text = column.cast(pa.string()).fill_null("")
    special = pc.match_substring_regex(text, '[",\r\n]')
    if not pc.any(special).as_py():
        return text
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(special, quoted, text)


def _csv_line(cells: Iterable[str | int]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8")


class CardFile(Protocol):
    """Where cards go."""

    @property
    def continuable(self) -> bool:
        """Whether a later run can go on behind what was flushed and synced."""
        ...

    def write(self, cards: Cards) -> None: ...

    def flush(self) -> int:
        """Hand all that was written to the system; returns how many bytes that is, for the journal."""
        ...

    def sync(self) -> None:
        """Make durable what was flushed. May run beside write(), never beside flush()."""
        ...

    def complete(self) -> None:
        """Nothing more comes: the file is whole and durable, not yet under its name."""
        ...

    def close(self) -> None: ...


def place(path: Path, rejects: Path | None) -> None:
    """Give the completed files their names; doing it twice is no error. Without refused rows there is no rejects file,
    also none that an earlier run left."""
    if rejects:
        place_rejects(rejects)
    put(beside(path, ".part"), path)
    if not path.exists():
        raise FileError(f"{path} and its part have been removed: --restart begins anew")


def place_rejects(rejects: Path) -> None:
    part = beside(rejects, ".part")
    if part.exists() and not part.stat().st_size:
        rejects.unlink(missing_ok=True)
        part.unlink()
    put(part, rejects)


def open_cards(path: Path, form: Format, schema: pa.Schema, done: int) -> CardFile:
    """done: what flush() returned for the part that counts; 0 begins anew."""
    if path == STANDARD_STREAM:
        return ParquetStream(sys.stdout.buffer, schema) if form is Format.PARQUET else CsvStream(schema)
    part = GrowingPart(beside(path, ".part"), done)
    return ParquetCards(part, schema) if form is Format.PARQUET else CsvCards(part, schema)


class CsvCards:
    """CardFile: CSV with a header, LF line ends."""

    continuable = True

    def __init__(self, part: GrowingPart, schema: pa.Schema) -> None:
        _require_castable(schema)
        self._schema, self._part = schema, part
        if not part.end:
            part.write(csv_header(schema))

    def write(self, cards: Cards) -> None:
        self._part.write(csv_rows(cards, self._schema))

    def flush(self) -> int:
        self._part.flush()
        return self._part.end

    def sync(self) -> None:
        self._part.sync()

    def complete(self) -> None:
        self._part.complete()

    def close(self) -> None:
        self._part.close()


def _require_castable(schema: pa.Schema) -> None:
    for field in schema:
        if field.name in _OURS:
            continue
        try:
            pa.array([], field.type).cast(pa.string())
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            raise FileError(f"column {field.name} holds {field.type}, which CSV cannot hold: do not keep it") from None


class CsvStream:
    """CardFile: CSV on standard output."""

    continuable = False

    def __init__(self, schema: pa.Schema) -> None:
        _require_castable(schema)
        self._schema = schema
        sys.stdout.buffer.write(csv_header(schema))

    def write(self, cards: Cards) -> None:
        sys.stdout.buffer.write(csv_rows(cards, self._schema))
        sys.stdout.buffer.flush()  # whoever reads it need not wait

    def flush(self) -> int:
        return 0

    def sync(self) -> None:
        pass

    def complete(self) -> None:
        sys.stdout.buffer.flush()

    def close(self) -> None:
        pass


class ParquetStream:
    """CardFile: Parquet in row groups of bounded size, on a stream that is only appended to."""

    continuable = False

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        self._stream, self._schema = stream, schema
        kept = [name for name in schema.names if name not in _OURS]
        # hex of a cipher has no two values alike and nothing to compress
        self._writer = pq.ParquetWriter(
            stream,
            schema,
            use_dictionary=kept,
            write_statistics=["line", *kept],
            compression={name: "NONE" if name in {"mindex", "card_id"} else "SNAPPY" for name in schema.names},
            column_encoding={"line": "DELTA_BINARY_PACKED"},
        )
        self._waiting: list[pa.RecordBatch] = []

    def write(self, cards: Cards) -> None:
        self._waiting.append(card_rows(cards, self._schema))
        if sum(map(len, self._waiting)) >= ROW_GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        rows = pa.Table.from_batches(self._waiting, self._schema)
        self._writer.write_table(rows, row_group_size=max(1, len(rows)))
        self._waiting = []

    def flush(self) -> int:
        return 0

    def sync(self) -> None:
        pass

    def complete(self) -> None:
        self._write_group()
        self._writer.close()
        self._stream.flush()

    def close(self) -> None:
        pass


class ParquetCards(ParquetStream):
    """CardFile: Parquet on the disk."""

    def __init__(self, part: GrowingPart, schema: pa.Schema) -> None:
        super().__init__(cast(BinaryIO, part), schema)
        self._part = part

    def flush(self) -> int:
        self._part.flush()
        return self._part.end

    def sync(self) -> None:
        self._part.sync()

    def complete(self) -> None:
        super().complete()
        self._part.complete()

    def close(self) -> None:
        self._part.close()


class Rejects(Protocol):
    """Where refused rows go."""

    def write(self, refused: Iterable[Refusal]) -> None: ...
    def flush(self) -> int: ...
    def sync(self) -> None: ...
    def complete(self) -> None: ...
    def close(self) -> None: ...


class RejectsFile:
    """CSV of refused rows: line, column, reason. Without any there is no file."""

    def __init__(self, path: Path, done: int) -> None:
        self._file = open_part(beside(path, ".part"), done)

    def write(self, refused: Iterable[Refusal]) -> None:
        for refusal in refused:
            if not self._file.tell():
                self._file.write(_csv_line(Refusal._fields))
            self._file.write(_csv_line(refusal))

    def flush(self) -> int:
        self._file.flush()
        return self._file.tell()

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def complete(self) -> None:
        sync(self._file)

    def close(self) -> None:
        self._file.close()


class RejectLines:
    """Refused rows as lines on standard error."""

    def write(self, refused: Iterable[Refusal]) -> None:
        for line, column, reason in refused:
            print(f"line {line}{f', {column}' if column else ''}: {reason}", file=sys.stderr)

    def flush(self) -> int:
        return 0

    def sync(self) -> None:
        pass

    def complete(self) -> None:
        pass

    def close(self) -> None:
        pass
