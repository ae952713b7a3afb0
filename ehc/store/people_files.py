"""Files of people, CSV and Parquet, read in blocks of bounded size; each block knows where the next one begins."""

from __future__ import annotations

import contextlib
import csv
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ehc.cards.issuing import FIELDS, PersonColumns
from ehc.crypto.columns import Column
from ehc.errors import FileError
from ehc.store.csv_lines import LINE_BYTES, Lines, RawLines, Refusal, plain, raw_lines, split
from ehc.store.parquet_columns import binary_of, repeating, require_text

pa.enable_signal_handlers(False)  # pyarrow's own loses one in fifteen that come while it reads lines


class Encoding(StrEnum):
    UTF_8 = "utf-8"
    GBK = "gbk"
    GB18030 = "gb18030"


class Format(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"


STANDARD_STREAM = Path("-")
CHINESE = {"id_type": "证件类型", "id_number": "证件号码", "name": "姓名"}
WANTED = ", ".join(f"{name} ({CHINESE[name]})" for name in FIELDS)
_BOM = b"\xef\xbb\xbf"
_OTHER_FILES = {
    b"\xff\xfe": "is UTF-16 text: save it as CSV UTF-8",
    b"\xfe\xff": "is UTF-16 text: save it as CSV UTF-8",
    b"PK\x03\x04": "is an Excel workbook (.xlsx) or another ZIP file: save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook (.xls): save the sheet as CSV UTF-8",
    b"\x1f\x8b": "is compressed (gzip): unpack it first",
    b"PAR1": "is a Parquet file: name it .parquet, or give it as a file and not on standard input",
}


class Position(NamedTuple):
    """Where a block begins."""

    offset: int  # bytes (CSV) or rows (Parquet) before it
    line: int  # number of its first line, or of its first row from 1


@dataclass(frozen=True, slots=True)
class Block:
    """Some people. `lines` has a number for each row of `people` and `kept`; refused lines are in neither."""

    people: PersonColumns
    lines: NDArray[np.int64]
    kept: list[pa.Array]
    refused: list[Refusal]
    following: Position


class PeopleFile(Protocol):
    """One file of people, opened; its header has been found good."""

    columns: list[str]  # all that the file has
    titles: tuple[str, ...]  # those of FIELDS as this file calls them
    kept: list[pa.Field]  # the columns to copy through
    size: int | None  # in the unit of Position.offset; None for a stream
    start: Position  # of the first row

    def blocks(self, position: Position) -> Iterator[Block]: ...

    def head(self) -> bytes:
        """What tells this file from another of the same size and age: its first 64 KiB."""
        ...

    def close(self) -> None: ...


def format_of(path: Path, stream_format: Format) -> Format:
    """By the suffix; stream_format for the standard streams. Raises FileError for another suffix."""
    if path == STANDARD_STREAM:
        return stream_format
    known = {".csv": Format.CSV, ".txt": Format.CSV, ".parquet": Format.PARQUET, ".pq": Format.PARQUET}
    if path.suffix.lower() not in known:
        raise FileError(f"{path}: what kind of file is this? The suffix tells: {', '.join(known)}")
    return known[path.suffix.lower()]


def open_people(path: Path, form: Format, keep: Sequence[str], encoding: Encoding, block_bytes: int) -> PeopleFile:
    """Open and check the header. path "-" is standard input. Raises FileError that names the file and what to do."""
    try:
        with contextlib.ExitStack() as unless_good:
            if form is Format.CSV:
                stream = unless_good.enter_context(_binary(path))
                people: PeopleFile = CsvPeople(stream, _title(path), keep, encoding, block_bytes)
            else:
                stream = unless_good.enter_context(_seekable(path))
                people = ParquetPeople(stream, _title(path), keep, block_bytes)
            unless_good.pop_all()
            return people
    except OSError as error:
        raise FileError(f"{_title(path)}: {error.strerror or error}") from error


def _title(path: Path) -> str:
    return "standard input" if path == STANDARD_STREAM else str(path)


def _binary(path: Path) -> BinaryIO:
    return sys.stdin.buffer if path == STANDARD_STREAM else path.open("rb")


def _seekable(path: Path) -> BinaryIO:
    """Parquet is read from its end: standard input goes to a file without a name first."""
    if path != STANDARD_STREAM:
        return path.open("rb")
    file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the reader
    shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
    return cast(BinaryIO, file)


def _places(titles: Sequence[str], keep: Sequence[str], where: str) -> tuple[list[int], list[int]]:
    """Columns of FIELDS, and those to keep. A header may be a person's row by mistake, so it is never repeated."""
    names = [title.strip() for title in titles]
    needed = [[i for i, name in enumerate(names) if name.lower() in (one, CHINESE[one])] for one in FIELDS]
    missing = [f"{one} ({CHINESE[one]})" for one, found in zip(FIELDS, needed, strict=True) if not found]
    if missing:
        raise FileError(
            f"{where}: no column {', '.join(missing)} among {len(names)} columns; the first line names the columns, "
            f"separated by commas, and has {WANTED}"
        )
    kept = [[i for i, name in enumerate(names) if name == one] for one in keep]
    absent = [one for one, found in zip(keep, kept, strict=True) if not found]
    if absent:
        raise FileError(f"{where}: no column {', '.join(absent)} to keep")
    twice = [one for one, found in zip((*FIELDS, *keep), needed + kept, strict=True) if len(found) > 1]
    if twice:
        raise FileError(f"{where}: more than one column {', '.join(twice)}; rename or remove all but one")
    return [found[0] for found in needed], [found[0] for found in kept]


def column_of_array(array: pa.Array) -> Column:
    """The two buffers of an array of text or bytes."""
    _, offsets, data = array.buffers()
    places = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data or b"", np.uint8), np.ascontiguousarray(places)


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


@dataclass(slots=True)
class _Cells:
    """Columns of binary cells with their line numbers, from which rows with unreadable text are taken out."""

    columns: dict[int, pa.Array]
    lines: NDArray[np.int64]
    refused: list[Refusal] = field(default_factory=list)

    def drop(self, bad: dict[int, str], title: str) -> None:
        """bad: row -> reason."""
        self.refused += [Refusal(int(self.lines[row]), title, reason) for row, reason in bad.items()]
        fine = np.ones(len(self.lines), bool)
        fine[list(bad)] = False
        mask = pa.array(fine)
        self.columns = {place: array.filter(mask) for place, array in self.columns.items()}
        self.lines = self.lines[fine]


def _undecodable(array: pa.Array, encoding: str) -> dict[int, str]:
    """Rows whose cell is not text of this encoding, and why."""
    bad = {}
    for row, cell in enumerate(array.to_pylist()):
        try:
            cell.decode(encoding)
        except UnicodeDecodeError as error:
            bad[row] = f"byte {error.start + 1} of the field (0x{cell[error.start]:02X}) is not {encoding.upper()}"
    return bad


def _transcoded(array: pa.Array, encoding: str) -> pa.Array:
    """A column of good cells in UTF-8. They hold no line feed, so all of them are decoded at once."""
    text = b"\n".join(array.to_pylist()).decode(encoding)
    return pa.array(text.encode("utf-8").split(b"\n") if len(array) else [], pa.binary())


class CsvPeople:
    """PeopleFile over CSV; line numbers are those of a text editor."""

    def __init__(self, stream: BinaryIO, where: str, keep: Sequence[str], encoding: Encoding, block_bytes: int) -> None:
        self._stream, self._encoding, self._block = stream, encoding, block_bytes
        self.size = stream.seek(0, 2) if stream.seekable() and stream is not sys.stdin.buffer else None
        if self.size is not None:
            stream.seek(0)
        header = stream.readline(LINE_BYTES + 1)
        self.columns = _header(header, where, encoding)
        self._needed, self._kept = _places(self.columns, keep, where)
        self.titles = tuple(self.columns[place].strip() for place in self._needed)
        self.kept = [pa.field(name, pa.string()) for name in keep]
        self.start = Position(len(header), 2)

    def head(self) -> bytes:
        self._stream.seek(0)
        return self._stream.read(1 << 16)

    def close(self) -> None:
        self._stream.close()

    def blocks(self, position: Position) -> Iterator[Block]:
        if self.size is not None:
            self._stream.seek(position.offset)
        for raw in raw_lines(self._stream, position.offset, position.line, self._block):
            yield self._block_of(raw)

    def _block_of(self, raw: RawLines) -> Block:
        cells = self._plain_cells(raw) or self._cells(split(raw, len(self.columns)))
        if self._encoding is not Encoding.UTF_8:
            for place in list(cells.columns):
                self._decode(cells, place)
        for place in self._kept:
            if bad := _undecodable(cells.columns[place], "utf-8") if not _is_utf8(cells.columns[place]) else {}:
                cells.drop(bad, self.columns[place])
        people = PersonColumns(*(column_of_array(cells.columns[place]) for place in self._needed))
        kept = [cells.columns[place].cast(pa.string()) for place in self._kept]
        return Block(people, cells.lines, kept, sorted(cells.refused), Position(raw.end, raw.following))

    def _plain_cells(self, raw: RawLines) -> _Cells | None:
        """Of lines that need no telling apart, as in most blocks; None where the parser finds one with other fields."""
        if (lines := plain(raw)) is None:
            return None
        try:
            return self._cells(lines)
        except pa.ArrowInvalid:
            return None

    def _cells(self, lines: Lines) -> _Cells:
        return _Cells(self._parse(lines.data, len(lines.numbers)), lines.numbers, lines.refused)

    def _decode(self, cells: _Cells, place: int) -> None:
        try:
            cells.columns[place] = _transcoded(cells.columns[place], self._encoding)
        except UnicodeDecodeError:
            cells.drop(_undecodable(cells.columns[place], self._encoding), self.columns[place])
            cells.columns[place] = _transcoded(cells.columns[place], self._encoding)

    def _parse(self, data: bytes, rows: int) -> dict[int, pa.Array]:
        """The wanted columns of well-formed lines."""
        places = [*self._needed, *self._kept]
        if not rows:
            return {place: pa.array([], pa.binary()) for place in places}
        names = [str(i) for i in range(len(self.columns))]
        size = len(data) + len(_BOM) + 1
        table = pyarrow.csv.read_csv(
            # the parser removes one mark in front: so it removes none that stands at the start of a block
            pa.py_buffer(_BOM + data if data.startswith(_BOM) else data),
            read_options=pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=size),
            parse_options=pyarrow.csv.ParseOptions(ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.binary()),
                include_columns=[str(place) for place in dict.fromkeys(places)],
                null_values=[],
                strings_can_be_null=False,
            ),
        )
        if table.num_rows != rows:
            raise RuntimeError(f"{rows} lines were parsed into {table.num_rows} rows")
        return {place: _one_array(table.column(str(place))) for place in places}


def _is_utf8(array: pa.Array) -> bool:
    try:
        array.cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _header(line: bytes, where: str, encoding: Encoding) -> list[str]:
    """Titles of the columns. Raises FileError for what is no CSV in this encoding."""
    if not line.strip():
        found = "is empty" if not line else "begins with an empty line"
        raise FileError(f"{where} {found}: the first line names the columns, {WANTED}")
    for mark, meaning in _OTHER_FILES.items():
        if line.startswith(mark):
            raise FileError(f"{where} {meaning}")
    if b"\0" in line:
        raise FileError(f"{where} has NUL bytes in its first line: UTF-16 or binary; save it as CSV UTF-8")
    if len(line) > LINE_BYTES:
        raise FileError(f"{where}: its first line has over {LINE_BYTES:,} bytes and no line feed; is it CSV?")
    if line.startswith(_BOM) and encoding is not Encoding.UTF_8:
        raise FileError(f"{where} is UTF-8 by its byte order mark: leave out --encoding {encoding}")
    return _titles(line.removeprefix(_BOM), where, encoding)


def _titles(line: bytes, where: str, encoding: Encoding) -> list[str]:
    try:
        text = line.decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError as error:
        other = Encoding.GB18030 if encoding is Encoding.UTF_8 else Encoding.UTF_8
        raise FileError(
            f"{where}, line 1, byte {error.start + 1} (0x{line[error.start]:02X}) is not {encoding.upper()}: "
            f"try --encoding {other}"
        ) from None
    if "\r" in text:
        raise FileError(f"{where}: line 1 has carriage returns inside; end the lines with LF or CRLF")
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if "," not in text and mark in text:
            raise FileError(f"{where}: its columns are separated by {name}; commas are wanted")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        raise FileError(f"{where}: the quotes of line 1 are not balanced") from None


_READING: dict[str, Any] = {"buffer_size": 1 << 20, "pre_buffer": False}


class ParquetPeople:
    """PeopleFile over Parquet; rows count from 1."""

    def __init__(self, stream: BinaryIO, where: str, keep: Sequence[str], block_bytes: int) -> None:
        self._stream, self._where = stream, where
        try:
            self._file = pq.ParquetFile(stream, **_READING)
        except pa.ArrowException as error:
            raise FileError(f"{where} is no Parquet file: {str(error).splitlines()[0]}") from None
        metadata, schema = self._file.metadata, self._file.schema_arrow
        self.columns = schema.names
        needed, kept = _places(schema.names, keep, where)
        self.titles = tuple(schema.names[place] for place in needed)
        for title in self.titles:
            require_text(schema.field(title).type, f"{where}: column {title}")
        self.kept = [schema.field(place) for place in kept]
        spread = repeating(metadata, set(self.titles).difference(field.name for field in self.kept))
        self._file = pq.ParquetFile(stream, metadata=metadata, read_dictionary=spread, **_READING)
        self.size = metadata.num_rows
        self.start = Position(0, 1)
        self._rows = max(1, block_bytes // 32)  # a person takes about that many

    def head(self) -> bytes:
        """The tail, where Parquet keeps its directory."""
        self._stream.seek(0, 2)
        self._stream.seek(max(0, self._stream.tell() - (1 << 16)))
        return self._stream.read(1 << 16)

    def close(self) -> None:
        self._file.close()
        self._stream.close()

    def blocks(self, position: Position) -> Iterator[Block]:
        done = position.offset
        try:
            for batch in self._batches(done):
                lines = np.arange(done + 1, done + 1 + len(batch), dtype=np.int64)
                done += len(batch)
                people = PersonColumns(*(column_of_array(binary_of(batch.column(title))) for title in self.titles))
                kept = [batch.column(field.name) for field in self.kept]
                yield Block(people, lines, kept, [], Position(done, done + 1))
        except (pa.ArrowException, OSError) as error:
            raise FileError(f"{self._where} cannot be read after row {done:,}: {str(error).splitlines()[0]}") from error

    def _batches(self, skip: int) -> Iterator[pa.RecordBatch]:
        """Batches from this row on; the row groups before it are not read."""
        sizes = [self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)]
        first = 0
        while first < len(sizes) and skip >= sizes[first]:
            skip -= sizes[first]
            first += 1
        columns = list(dict.fromkeys([*self.titles, *(field.name for field in self.kept)]))
        groups = list(range(first, len(sizes)))
        for batch in self._file.iter_batches(self._rows, row_groups=groups, columns=columns, use_threads=False):
            rest = batch.slice(min(skip, len(batch)))
            skip -= len(batch) - len(rest)
            if len(rest):
                yield rest
