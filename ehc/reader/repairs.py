"""What keyboards, input methods and settings do to a scanned text, undone by name.

A repair is a guess that the payload grammar has to confirm: of all texts that the repairs make of one, exactly one must
be a payload, else nothing is taken. No repair invents a digit; what a breakage took away, but for colons, is lost.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from ehc.reader.layouts import LAYOUTS, LOST_SHIFT, STUCK_SHIFT, TRANSLATIONS, characters
from ehc.reader.payloads import COMPACT, SIGNED, What, read_payload


class Repair(enum.StrEnum):
    """What was put right, and so what to change in the scanner or on the computer (`ADVICE`)."""

    CONTROLS = "controls"  # control characters removed
    PARITY = "parity"  # a parity bit removed from the bytes of a serial line
    IDENTIFIER = "identifier"  # a symbology identifier removed that the scanner puts before the code
    WIDTH = "width"  # full-width characters of an input method made narrow
    STUCK_SHIFT = "stuck_shift"  # digits were typed with Shift held
    LOST_SHIFT = "lost_shift"  # `:` was typed without Shift
    LAYOUT = "layout"  # the scanner and the computer are set to different keyboards
    KEYS = "keys"  # read from the keys, since an input method took their characters
    CASE = "case"  # Caps Lock inverted the case
    COLONS = "colons"  # dropped colons put back
    TWICE = "twice"  # the code came twice
    JOINED = "joined"  # the code came in pieces


class Repaired(NamedTuple):
    payload: str
    repairs: tuple[Repair, ...]


Keys = list[tuple[str, bool]]
_CONTROLS = re.compile("[\x00-\x1f\x7f\x80-\x9f\u200b-\u200f\ufeff]")
_CARET = re.compile(r"\^[@-_]")  # control characters as a terminal shows them
_IDENTIFIER = re.compile(
    r"(\][A-Za-z][0-9A-Fa-f]|[sQq])(?=[0-9A-Fa-fEe])"
)  # AIM (ISO/IEC 15424); one letter of vendors
_WIDE = str.maketrans({"。": ".", "、": "/", "¥": "$", "\u2014": "-", "\u2013": "-", "…": "^", "\u3000": " "})
_LONGEST = 1024
_CARD_DIGITS, _MOST_PREFIX, _TOKEN = (64, 48, 32), 8, 32
_ORGANISATION = range(4, 23)  # characters; a code without colons is not searched for longer or shorter ones


def repair(text: str, keys: Keys | None = None) -> Repaired | None:
    """The one payload that a text was before it was broken; None where there is none, or more than one.

    keys: the physical keys behind the text, as (KeyboardEvent.code, with shift), where whoever saw them knows.
    """
    if len(text) > _LONGEST:
        return None
    for level in (_exact, _from_keys, _as_read, _translated):
        found = set(level(text, keys or []))
        payloads = {one.payload.upper() for one in found}
        if found:
            return min(found, key=lambda one: len(one.repairs)) if len(payloads) == 1 else None
    return None


def _exact(text: str, _keys: Keys) -> Iterator[Repaired]:
    cleaned, repairs = cleaned_of(text)
    if read_payload(cleaned).what is not What.HEALTH_CARD:
        return
    ways = [(once, twice) for once, twice in _once(cleaned) if read_payload(once).what is What.HEALTH_CARD]
    payload, twice = ways[-1]  # a short card id that was begun, and then whole, is as long as a long one
    yield Repaired(payload, (*repairs, *twice))


def _as_read(text: str, _keys: Keys) -> Iterator[Repaired]:
    cleaned, repairs = cleaned_of(text)
    yield from _matches(cleaned, repairs)


def _translated(text: str, _keys: Keys) -> Iterator[Repaired]:
    """As other keyboards would have had it, and with Caps Lock on beside that."""
    for source in {text, text.swapcase()}:
        for table, names in _TABLES:
            changed = source.translate(table)
            if changed != source:
                cleaned, repairs = cleaned_of(changed)
                case = (Repair.CASE,) if source != text else ()
                found = _matches(cleaned, (*names, *case, *repairs))
                yield from (one for one in found if names == (Repair.LAYOUT,) or _one_key(one.payload))


def _one_key(payload: str) -> bool:
    """Whether each character can come of one key alone, once nobody knows Shift: not `-` and `_`, nor base45."""
    return not payload.upper().startswith((COMPACT, SIGNED)) and "-" not in payload and "_" not in payload


def _from_keys(_text: str, keys: Keys) -> Iterator[Repaired]:
    for layout in LAYOUTS if keys else ():
        yield from _matches(_without_identifier(characters(keys, layout)), (Repair.KEYS,))


_TABLES: list[tuple[dict[int, str], tuple[Repair, ...]]] = [
    (STUCK_SHIFT, (Repair.STUCK_SHIFT,)),
    (LOST_SHIFT, (Repair.LOST_SHIFT,)),
    *((table, (Repair.LAYOUT,)) for _, table in TRANSLATIONS),
]


def cleaned_of(text: str) -> tuple[str, tuple[Repair, ...]]:
    """Without what no payload has: controls, an identifier before it, the width of an input method."""
    repairs: list[Repair] = []
    steps = ((Repair.CONTROLS, _without_controls), (Repair.WIDTH, _narrow), (Repair.IDENTIFIER, _without_identifier))
    for name, step in steps:
        changed = step(text)
        if changed != text:
            repairs.append(name)
        text = changed
    return text, tuple(repairs)


def _without_controls(text: str) -> str:
    return _CONTROLS.sub("", _CARET.sub("", text)).strip(" ")


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_WIDE) if not text.isascii() else text


def _without_identifier(text: str) -> str:
    return _IDENTIFIER.sub("", text, count=1) if _IDENTIFIER.match(text) else text


def _matches(text: str, repairs: tuple[Repair, ...]) -> Iterator[Repaired]:
    """The payloads that a cleaned text can be: as it is, in upper case, once of twice, with its colons."""
    for once, twice in _once(text):
        for payload, more in _payloads(once):
            yield Repaired(payload, (*repairs, *more, *twice))


def _once(text: str) -> Iterator[tuple[str, tuple[Repair, ...]]]:
    """Itself, or the second of two copies, of which the first may be cut off: a beginning of the second."""
    yield text, ()
    for length in range((len(text) + 1) // 2, len(text)):
        head, tail = text[: len(text) - length], text[len(text) - length :]
        if tail.startswith(head) and len(head) > 4:
            yield tail, (Repair.TWICE,)


def _payloads(text: str) -> Iterator[tuple[str, tuple[Repair, ...]]]:
    if read_payload(text).what is What.HEALTH_CARD:
        yield text, ()
    elif text[:5].upper() in (COMPACT, SIGNED) or (text[:3].upper() == "EHC" and text[3:4] in ("2", "3")):
        yield from _ours(text)
    elif ":" not in text:
        yield from ((full, (Repair.COLONS,)) for full in _with_colons(text))


def _ours(text: str) -> Iterator[tuple[str, tuple[Repair, ...]]]:
    """EHC2 and EHC3 are of a fixed length: a missing character was the colon behind the prefix, if that is missing."""
    if not text.isascii():
        return
    upper = text.upper()
    case = (Repair.CASE,) if upper != text else ()
    coloned = upper if upper[4:5] == ":" else f"{upper[:4]}:{upper[4:]}"
    if read_payload(coloned).what is What.HEALTH_CARD:
        yield coloned, (*case, *((Repair.COLONS,) if coloned != upper else ()))


def _with_colons(text: str) -> Iterator[str]:
    """Every [PREFIX:]CARD:FLAG… whose characters are these. A card id of decimal digits alone is not looked for: that
    is some number."""
    for prefix, digits in product(range(_MOST_PREFIX + 1), _CARD_DIGITS):
        card, flag, rest = text[prefix : prefix + digits], text[prefix + digits :][:1], text[prefix + digits + 1 :]
        if len(card) < digits or card.isdecimal() or not (prefix == 0 or text[:prefix].isdecimal()):
            continue
        for end in _ends(flag, rest, digits == _CARD_DIGITS[0]):
            full = (f"{text[:prefix]}:" if prefix else "") + card + end
            if read_payload(full).what is What.HEALTH_CARD:
                yield full


def _ends(flag: str, rest: str, national: bool) -> Iterator[str]:
    """What may follow a card id; an organisation is looked for behind the national one alone."""
    if flag in ("1", "9") and not rest:
        yield f":{flag}"
    elif flag == "1" and national and len(rest) in _ORGANISATION:
        yield f":1::{rest}"
    elif flag == "0" and len(rest) == _TOKEN:
        yield f":0:{rest}"
    elif flag == "0" and national and len(rest) - _TOKEN in _ORGANISATION:
        yield f":0:{rest[:_TOKEN]}:{rest[_TOKEN:]}"
