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

    number: Sequence[str]
    chip: Sequence[str]
    issuer: Sequence[str]
    state: Sequence[CardState]
    version: Sequence[int]
    source: Sequence[str]


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
    checked = (_column(field, cells, refused) for field, cells in zip(CardColumns._fields, columns, strict=True))
    return CheckedColumns(*checked), sorted(refused)


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


def _column(field: str, cells: Sequence[str], refused: list[RefusedField]) -> Sequence[Any]:
    if field in ("number", "chip") and _plain(cells):
        return cells
    known = {text: _tried(field, text) for text in set(cells)}
    wrong = {text: str(one) for text, one in known.items() if isinstance(one, InputError)}
    if wrong:
        refused += [RefusedField(row, field, wrong[text]) for row, text in enumerate(cells) if text in wrong]
        known |= dict.fromkeys(wrong, _NOTHING.get(field, ""))
    return list(map(known.__getitem__, cells))


def _plain(cells: Sequence[str]) -> bool:
    """All of them numbers in the one form."""
    text = "".join(cells)
    lengths = set(map(len, cells))
    return text.isascii() and text.isalnum() and text == text.upper() and min(lengths) > 0 and max(lengths) <= 32


def _tried(field: str, text: str) -> Any:
    try:
        return _ONE[field](text)
    except InputError as error:
        return error
