"""A registry's export, CSV, Parquet or NDJSON, in blocks: the holders as columns, and what is said of their cards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ehc.cards.bulk_registration import columns_of
from ehc.cards.issuing import PersonColumns
from ehc.crypto.columns import Coded, Texts
from ehc.errors import FileError
from ehc.registry.checking import CardColumns, checked
from ehc.store.csv_lines import RawLines, Refusal, raw_lines
from ehc.store.people_files import CsvPeople, Encoding, ParquetPeople, PeopleFile, Position, column_of_array

TITLES: Mapping[str, tuple[str, ...]] = {
    "number": ("number", "card_number", "卡号"),
    "chip": ("chip", "chip_number", "芯片号"),
    "issuer": ("issuer", "发卡机构"),
    "state": ("state", "卡状态", "状态"),
    "version": ("version", "版本"),
    "source": ("source", "来源"),
}
"""Field of a card -> what its column may be called; those of the holder are people_files' own."""


class RegistryFormat(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"
    NDJSON = "ndjson"


SUFFIXES = {
    ".csv": RegistryFormat.CSV,
    ".txt": RegistryFormat.CSV,
    ".parquet": RegistryFormat.PARQUET,
    ".pq": RegistryFormat.PARQUET,
    ".ndjson": RegistryFormat.NDJSON,
    ".jsonl": RegistryFormat.NDJSON,
}


@dataclass(frozen=True, slots=True)
class Missing:
    """What stands in every row of a file that has no such column; None: the file must have it."""

    issuer: str | None = None
    version: str | None = None
    source: str = ""

    def check(self) -> None:
        """Raises InputError that names what no row could have."""
        for field, given in (("issuer", self.issuer), ("version", self.version), ("source", self.source)):
            if given:
                checked(field, given)


@dataclass(frozen=True, slots=True)
class CardBlock:
    """Some cards. `lines` has a number for each row of `people` and `cards`; refused lines are in neither."""

    people: PersonColumns
    cards: CardColumns
    lines: NDArray[np.int64]
    refused: Sequence[Refusal]
    following: Position

    def parts(self, most: int) -> Iterator[tuple[PersonColumns, CardColumns, NDArray[np.int64]]]:
        for begin in range(0, len(self.lines), most):
            end = begin + most
            people = PersonColumns(*((data, offsets[begin : end + 1]) for data, offsets in self.people))
            yield people, CardColumns(*(column[begin:end] for column in self.cards)), self.lines[begin:end]


class CardFile:
    """A file of people (people_files) that says of each which card they have; its header has been found good."""

    def __init__(self, people: PeopleFile, columns: Mapping[str, str], missing: Missing) -> None:
        """columns: field -> its title in the file."""
        self._people, self._columns = people, columns
        self._missing = {"issuer": missing.issuer or "", "version": missing.version or "", "source": missing.source}
        self.size, self.start = people.size, people.start
        self.titles = dict(zip(("id_type", "id_number", "name"), people.titles, strict=True)) | dict(columns)
        self.head, self.close = people.head, people.close

    def blocks(self, position: Position) -> Iterator[CardBlock]:
        for block in self._people.blocks(position):
            kept = dict(zip(self._columns, block.kept, strict=True))
            rows = len(block.lines)
            cards = (
                _CELLS.get(field, _coded)(kept[field])
                if field in kept
                else Coded([self._missing.get(field, "")], np.zeros(rows, np.intp))
                for field in CardColumns._fields
            )
            yield CardBlock(block.people, CardColumns(*cards), block.lines, block.refused, block.following)


def _text(column: pa.Array) -> pa.Array:
    """Also of a Parquet file's numbers; without gaps."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    text = column if pa.types.is_string(column.type) else column.cast(pa.string())
    return text.fill_null("") if text.null_count else text


def _texts(column: pa.Array) -> Texts:
    return Texts(*column_of_array(_text(column)))


def _coded(column: pa.Array) -> Coded:
    found = _text(column).dictionary_encode()
    codes = np.frombuffer(found.indices.buffers()[1] or b"", np.int32)  # to_numpy would load pandas where there is one
    return Coded(found.dictionary.to_pylist(), codes[found.offset : found.offset + len(found)].astype(np.intp))


_CELLS: Mapping[str, Callable[[pa.Array], Sequence[str]]] = {"number": _texts, "chip": _texts}
"""In the others few different texts stand."""


class _Row(msgspec.Struct):
    """A line of NDJSON. Members that are not known are left out of account, as other columns of a CSV file are."""

    number: str
    id_type: str
    id_number: str
    name: str
    state: str
    chip: str = ""
    issuer: str | None = None
    version: int | None = None
    source: str | None = None


class NdjsonCards:
    """As CardFile, over a JSON object a line."""

    titles: Mapping[str, str] = {}

    def __init__(self, stream: BinaryIO, missing: Missing, block_bytes: int) -> None:
        self._stream, self._missing, self._block = stream, missing, block_bytes
        self.size: int | None = stream.seek(0, 2)
        self.start = Position(0, 1)
        self._decode = msgspec.json.Decoder(_Row).decode

    def head(self) -> bytes:
        self._stream.seek(0)
        return self._stream.read(1 << 16)

    def close(self) -> None:
        self._stream.close()

    def blocks(self, position: Position) -> Iterator[CardBlock]:
        self._stream.seek(position.offset)
        for raw in raw_lines(self._stream, position.offset, position.line, self._block):
            yield self._block_of(raw)

    def _block_of(self, raw: RawLines) -> CardBlock:
        refused: list[Refusal] = []
        rows: list[_Row] = []
        lines: list[int] = []
        if raw.data is None:
            refused.append(Refusal(raw.first, "", "the line is too long"))
        for line, text in enumerate((raw.data or b"").split(b"\n"), raw.first):
            if not text.strip():
                continue
            try:
                rows.append(self._decode(text))
                lines.append(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                refused.append(Refusal(line, "", _reason(error)))
        following = Position(raw.end, raw.following)
        return CardBlock(_people(rows), self._cards(rows), np.array(lines, np.int64), refused, following)

    def _cards(self, rows: Sequence[_Row]) -> CardColumns:
        missing = self._missing
        issuer, version = missing.issuer or "", missing.version or ""
        return CardColumns(
            [row.number for row in rows],
            [row.chip for row in rows],
            [issuer if row.issuer is None else row.issuer for row in rows],
            [row.state for row in rows],
            [version if row.version is None else str(row.version) for row in rows],
            [missing.source if row.source is None else row.source for row in rows],
        )


def _people(rows: Sequence[_Row]) -> PersonColumns:
    return columns_of([(row.id_type, row.id_number, row.name) for row in rows])


def _reason(error: Exception) -> str:
    if isinstance(error, msgspec.MsgspecError):
        return str(error)
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else "nested too deep"


CardReader = CardFile | NdjsonCards


def open_cards(path: Path, encoding: Encoding, missing: Missing, block_bytes: int) -> CardReader:
    """Open and check the header. Raises FileError that names the file and what to do."""
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        raise FileError(f"{path}: what kind of file is this? The suffix tells: {', '.join(SUFFIXES)}")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
    try:
        if form is RegistryFormat.NDJSON:
            return NdjsonCards(stream, missing, block_bytes)
        return _with_columns(stream, path, form, encoding, missing, block_bytes)
    except BaseException:
        stream.close()
        raise


def _with_columns(  # noqa: PLR0917  as open_cards
    stream: BinaryIO, path: Path, form: RegistryFormat, encoding: Encoding, missing: Missing, block_bytes: int
) -> CardFile:
    def people(keep: Sequence[str]) -> CsvPeople | ParquetPeople:
        stream.seek(0)
        if form is RegistryFormat.CSV:
            return CsvPeople(stream, str(path), keep, encoding, block_bytes)
        return ParquetPeople(stream, str(path), keep, block_bytes)

    columns = _columns(people(()).columns, str(path), missing)
    return CardFile(people([*columns.values()]), columns, missing)


def _columns(titles: Sequence[str], where: str, missing: Missing) -> dict[str, str]:
    """Field -> title. Raises FileError for one that is missing."""
    lower = {title.strip().lower(): title.strip() for title in titles}
    found = {field: next((lower[one] for one in names if one in lower), None) for field, names in TITLES.items()}
    for field, given, way in (
        ("number", None, "every card has one"),
        ("state", None, "normal 正常, lost 挂失, cancelled 注销, being_made 制卡中, not_issued 未发放"),
        ("issuer", missing.issuer, "or say --issuer CODE for all"),
        (
            "version",
            missing.version,
            "or say --version N for the whole export, its date perhaps: later ones are greater",
        ),
    ):
        if found[field] is None and given is None:
            raise FileError(f"{where}: no column {field} ({TITLES[field][-1]}): {way}")
    return {field: title for field, title in found.items() if title is not None}
