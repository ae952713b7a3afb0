"""Files of cards, CSV and Parquet, and the file of refused rows beside them.

A `CardFile` on the disk grows durably (`sync`) in `OUT.part` and gets its name as a whole, by `place`; see run_journal.
Streams do neither. All files are made for their owner alone (0600).
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ehc.cards.issuing import Issued
from ehc.crypto import card_lines, hex_digits
from ehc.errors import FileError
from ehc.store.csv_lines import Refusal
from ehc.store.people_files import STANDARD_STREAM, Block, Format, PeopleFile
from ehc.store.run_journal import beside, open_part, private, put, remove_folder, reserve, sync, sync_folder

ROW_GROUP_ROWS = 1 << 17
ROOM_BYTES = 1 << 25  # of the disk, taken before they are written: on ext4 writing is several times faster then


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
    plain = {"line", "mindex", "card_id"}
    cells = [
        column.cast(pa.string()) if name in plain else _csv_cells(column)
        for name, column in zip(rows.schema.names, rows.columns, strict=True)
    ]
    joined = pc.binary_join_element_wise(*cells, ",")
    return memoryview(pc.binary_join_element_wise(joined, "", "\n").buffers()[2])


def _csv_cells(column: pa.Array) -> pa.Array:
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

    def write(self, cards: Cards) -> None: ...

    def flush(self) -> int:
        """Hand all that was written to the system; returns how much there is, for the journal."""
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
        part = beside(rejects, ".part")
        if part.exists() and not part.stat().st_size:
            rejects.unlink(missing_ok=True)
            part.unlink()
        put(part, rejects)
    put(beside(path, ".part"), path)
    remove_folder(beside(path, ".parts"))
    if not path.exists():
        raise FileError(f"{path} and its part have been removed: --restart begins anew")


def open_cards(path: Path, form: Format, schema: pa.Schema, done: int) -> CardFile:
    """done: what sync() returned for the part that counts; 0 begins anew."""
    if path == STANDARD_STREAM:
        return ParquetStream(sys.stdout.buffer, schema) if form is Format.PARQUET else CsvStream(schema)
    return ParquetCards(path, schema, done) if form is Format.PARQUET else CsvCards(path, schema, done)


class CsvCards:
    """CardFile: CSV with a header, LF line ends."""

    def __init__(self, path: Path, schema: pa.Schema, done: int) -> None:
        for field in schema:
            _require_castable(field)
        self._schema = schema
        self._file = open_part(beside(path, ".part"), done)
        self._end = self._room = done
        if not done:
            self._append(csv_header(schema))

    def write(self, cards: Cards) -> None:
        self._append(csv_rows(cards, self._schema))

    def _append(self, text: memoryview | bytes) -> None:
        if self._end + len(text) > self._room:
            self._room += reserve(self._file, self._room, ROOM_BYTES + len(text))
        self._end += self._file.write(text)

    def flush(self) -> int:
        self._file.flush()
        return self._end

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def complete(self) -> None:
        self._file.truncate(self._end)
        sync(self._file)

    def close(self) -> None:
        self._file.close()


def _require_castable(field: pa.Field) -> None:
    try:
        pa.array([], field.type).cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        raise FileError(f"column {field.name} holds {field.type}, which CSV cannot hold: do not keep it") from None


class ParquetCards:
    """CardFile: segments in `OUT.parts`, one a step, joined at the end: a Parquet file cannot be appended to."""

    def __init__(self, path: Path, schema: pa.Schema, done: int) -> None:
        self._schema, self._done = schema, done
        self._part, self._folder = beside(path, ".part"), beside(path, ".parts")
        if not done:
            remove_folder(self._folder)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._rows: list[pa.RecordBatch] = []
        self._waiting: list[BinaryIO] = []  # segments that are not durable yet

    def write(self, cards: Cards) -> None:
        if len(cards):
            self._rows.append(card_rows(cards, self._schema))

    def flush(self) -> int:
        if self._rows:
            file = private(self._segment(self._done), "wb")
            self._waiting.append(file)
            with pa.ipc.new_file(file, self._schema) as writer:
                for rows in self._rows:
                    writer.write_batch(rows)
            file.flush()
            self._done, self._rows = self._done + 1, []
        return self._done

    def sync(self) -> None:
        if self._waiting:
            for file in self._waiting:
                sync(file)
            self._drop()
            sync_folder(self._folder)

    def _drop(self) -> None:
        while self._waiting:
            self._waiting.pop().close()

    def _segment(self, number: int) -> Path:
        return self._folder / f"{number:08}.arrow"

    def complete(self) -> None:
        self.flush()
        self.sync()
        with private(self._part, "wb") as file:
            stream = ParquetStream(file, self._schema)
            for rows in self._batches():
                stream.write_rows(rows)
            stream.complete()
            sync(file)

    def close(self) -> None:
        self._drop()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for number in range(self._done):
            with pa.OSFile(str(self._segment(number))) as source, pa.ipc.open_file(source) as reader:
                yield from (reader.get_batch(i) for i in range(reader.num_record_batches))


class CsvStream:
    """CardFile: CSV on standard output."""

    def __init__(self, schema: pa.Schema) -> None:
        for field in schema:
            _require_castable(field)
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

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        self._stream, self._schema = stream, schema
        kept = [name for name in schema.names if name not in {"line", "mindex", "card_id"}]
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
        self.write_rows(card_rows(cards, self._schema))

    def write_rows(self, rows: pa.RecordBatch) -> None:
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= ROW_GROUP_ROWS:
            self._write_groups(last=False)

    def _write_groups(self, *, last: bool) -> None:
        """Whole groups, and the rest if nothing follows: so the bytes do not depend on how the rows came in."""
        table = pa.Table.from_batches(self._waiting, self._schema).combine_chunks()
        whole = len(table) if last else len(table) // ROW_GROUP_ROWS * ROW_GROUP_ROWS
        self._writer.write_table(table.slice(0, whole), row_group_size=ROW_GROUP_ROWS)
        self._waiting = table.slice(whole).to_batches()

    def flush(self) -> int:
        return 0

    def sync(self) -> None:
        pass

    def complete(self) -> None:
        self._write_groups(last=True)
        self._writer.close()
        self._stream.flush()

    def close(self) -> None:
        pass


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
