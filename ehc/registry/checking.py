"""What stands in a registry's export, beside the holder's document, in the one form that is kept.

    number   trimmed, upper case; 1 to 32 letters and digits
    chip     likewise; may be missing
    issuer   trimmed; as the code of an institution
    state    a word of CardState, or its Chinese term
    version  0 to 2^53 - 1
    source   as issuer

Columns that are in this form already are looked at as a whole; else row by row, and a bad row is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ehc.crypto.columns import Coded, Texts
from ehc.errors import InputError
from ehc.registry.card import CardState

MOST_VERSION = (1 << 53) - 1
CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_NUMBER = re.compile(r"[0-9A-Z]{1,32}")
_VERSION = re.compile(r"[0-9]{1,16}", re.ASCII)

CHINESE = {
    CardState.NORMAL: "正常",
    CardState.LOST: "挂失",
    CardState.CANCELLED: "注销",
    CardState.BEING_MADE: "制卡中",
    CardState.NOT_ISSUED: "未发放",
}
STATES: dict[str, CardState] = {state.word: state for state in CardState} | {
    term: state for state, term in CHINESE.items()
}


class CardColumns(NamedTuple):
    """What is said of cards beside their holders, as it came; columns of equal length."""

    number: Sequence[str]
    chip: Sequence[str]
    issuer: Sequence[str]
    state: Sequence[str]
    version: Sequence[str]
    source: Sequence[str]


class CheckedColumns(NamedTuple):
    """The same in the one form; what stands in a refused row means nothing."""

    number: Texts
    chip: Texts
    issuer: Coded
    state: NDArray[np.int16]  # CardState
    version: NDArray[np.int64]
    source: Coded

    def rows(self, rows: NDArray[np.intp]) -> CheckedColumns:
        number, chip, issuer, state, version, source = self
        texts = number.rows(rows), chip.rows(rows), issuer.rows(rows)
        return CheckedColumns(*texts, state[rows], version[rows], source.rows(rows))


class RefusedField(NamedTuple):
    row: int  # from 0
    field: str
    reason: str  # holds no personal data


def number(text: str) -> str:
    """Raises InputError, as the next ones."""
    found = text.strip().upper()
    if not _NUMBER.fullmatch(found):
        raise InputError("1 to 32 letters and digits")
    return found


def chip(text: str) -> str:
    return number(text) if text.strip() else ""


def code(text: str) -> str:
    found = text.strip()
    if not CODE.fullmatch(found):
        raise InputError("1 to 64 letters, digits, dots, dashes and underscores, none of . - _ first")
    return found


def state(text: str) -> CardState:
    found = STATES.get(text.strip())
    if found is None:
        raise InputError(f"one of {', '.join(f'{one.word} ({term})' for one, term in CHINESE.items())}")
    return found


def version(text: str) -> int:
    found = text.strip()
    if not _VERSION.fullmatch(found) or int(found) > MOST_VERSION:
        raise InputError(f"a whole number from 0 to {MOST_VERSION}")
    return int(found)


def check(columns: CardColumns) -> tuple[CheckedColumns, list[RefusedField]]:
    refused: list[RefusedField] = []
    number, chip = (_written(field, getattr(columns, field), refused) for field in ("number", "chip"))
    issuer, source = (_few(field, getattr(columns, field), refused) for field in ("issuer", "source"))
    state, version = (_few(field, getattr(columns, field), refused) for field in ("state", "version"))
    checked = CheckedColumns(
        number,
        chip,
        Coded(issuer[0], issuer[1]),
        np.array(state[0], np.int16)[state[1]],
        np.array(version[0], np.int64)[version[1]],
        Coded(source[0], source[1]),
    )
    return checked, sorted(refused)


def checked(field: str, text: str) -> Any:
    """One field. Raises InputError that names it."""
    try:
        return _ONE[field](text)
    except InputError as error:
        raise InputError(f"{field}: {error}") from None


_ONE: dict[str, Callable[[str], Any]] = {
    "number": number,
    "chip": chip,
    "issuer": code,
    "state": state,
    "version": version,
    "source": code,
}
_NOTHING: dict[str, Any] = {"state": CardState.CANCELLED, "version": 0}


def _written(field: str, cells: Sequence[str], refused: list[RefusedField]) -> Texts:
    """A column in which every cell may be another."""
    if _plain(found := Texts.of(cells), least=field == "number"):
        return found
    values, codes = _few(field, cells, refused)
    return Coded(values, codes).texts()


def _few(field: str, cells: Sequence[str], refused: list[RefusedField]) -> tuple[list[Any], NDArray[np.intp]]:
    """Different cells in the one form, and for each row which of them."""
    values, codes = (given := Coded.of(cells)).values, given.codes
    tried = [_tried(field, text) for text in values]
    for place, one in enumerate(tried):
        if isinstance(one, InputError):
            refused += [RefusedField(row, field, str(one)) for row in np.flatnonzero(codes == place).tolist()]
            tried[place] = _NOTHING.get(field, "")
    return tried, codes


def _plain(cells: Texts, *, least: int) -> bool:
    """All of them numbers in the one form, or of so few letters."""
    text, lengths = cells.data[cells.offsets[0] : cells.offsets[-1]].tobytes(), cells.lengths
    written = not text or (text.isalnum() and text == text.upper())
    return written and bool(lengths.min(initial=32) >= least and lengths.max(initial=0) <= 32)


def _tried(field: str, text: str) -> Any:
    try:
        return _ONE[field](text)
    except InputError as error:
        return error
