"""Keyboards as scanners and hosts take them: the same key is another character under another layout.

A scanner that types sends keys, not characters: it finds each character on the keyboard that it was set to, and the
host reads the key on its own. Where both differ, `:` becomes `M`, `1` becomes `&`, and so on; `TRANSLATIONS` undoes it.
"""

from __future__ import annotations

from typing import NamedTuple

_CODES = [
    *("Backquote", *(f"Digit{digit}" for digit in "1234567890"), "Minus", "Equal"),
    *(*(f"Key{letter}" for letter in "QWERTYUIOP"), "BracketLeft", "BracketRight", "Backslash"),
    *(*(f"Key{letter}" for letter in "ASDFGHJKL"), "Semicolon", "Quote"),
    *(*(f"Key{letter}" for letter in "ZXCVBNM"), "Comma", "Period", "Slash", "Space"),
]
"""`KeyboardEvent.code` of the keys (UI Events, W3C), row by row; the layouts below have them in this order."""


class Layout(NamedTuple):
    """One character a key, in the order of the codes."""

    name: str
    plain: str
    shifted: str


US = Layout(
    "US",
    "`1234567890-=" + "qwertyuiop[]\\" + "asdfghjkl;'" + "zxcvbnm,./ ",
    "~!@#$%^&*()_+" + "QWERTYUIOP{}|" + 'ASDFGHJKL:"' + "ZXCVBNM<>? ",
)
UK = Layout(
    "UK",
    "`1234567890-=" + "qwertyuiop[]#" + "asdfghjkl;'" + "zxcvbnm,./ ",
    '¬!"£$%^&*()_+' + "QWERTYUIOP{}~" + "ASDFGHJKL:@" + "ZXCVBNM<>? ",
)
FRENCH = Layout(
    "French (AZERTY)",
    "²&é\"'(-è_çà)=" + "azertyuiop^$*" + "qsdfghjklmù" + "wxcvbn,;:! ",
    "²1234567890°+" + "AZERTYUIOP¨£µ" + "QSDFGHJKLM%" + "WXCVBN?./§ ",
)
GERMAN = Layout(
    "German (QWERTZ)",
    "^1234567890ß´" + "qwertzuiopü+#" + "asdfghjklöä" + "yxcvbnm,.- ",
    '°!"§$%&/()=?`' + "QWERTZUIOPÜ*'" + "ASDFGHJKLÖÄ" + "YXCVBNM;:_ ",
)
LAYOUTS = (US, UK, FRENCH, GERMAN)

Table = dict[int, str]


def translation(scanner: Layout, host: Layout) -> Table:
    """For str.translate: what the host shows -> what the scanner meant. Where one character stands on two keys, the
    plain one counts."""
    pairs = [*zip(host.shifted, scanner.shifted, strict=True), *zip(host.plain, scanner.plain, strict=True)]
    return {ord(shown): meant for shown, meant in pairs}


TRANSLATIONS: tuple[tuple[str, Table], ...] = tuple(
    (f"the scanner types {scanner.name}, the computer reads {host.name}", translation(scanner, host))
    for scanner in LAYOUTS
    for host in LAYOUTS
    if scanner is not host
)

STUCK_SHIFT: Table = {ord(shifted): digit for shifted, digit in zip("!@#$%^&*()", "1234567890", strict=True)}
"""Digits that came out as their key's other character."""
LOST_SHIFT: Table = {ord(";"): ":"}
"""The one character of a payload that needs it, beside upper-case letters."""

_KEYS = {code: i for i, code in enumerate(_CODES)}
_NUMPAD = {f"Numpad{digit}": digit for digit in "0123456789"}


def characters(keys: list[tuple[str, bool]], layout: Layout) -> str:
    """Keys as (code, with shift) -> what a keyboard of that layout prints on them; others are left out."""
    rows = (layout.plain, layout.shifted)
    return "".join(rows[shift][_KEYS[code]] if code in _KEYS else _NUMPAD.get(code, "") for code, shift in keys)


def keys_of(text: str, layout: Layout) -> list[tuple[str, bool]]:
    """The keys that a scanner of this layout presses for a text. Raises ValueError for what it has no key for."""
    return [
        (_CODES[layout.shifted.index(c)], True) if c not in layout.plain else (_CODES[layout.plain.index(c)], False)
        for c in text
    ]


assert all(len(row) == len(_CODES) for layout in LAYOUTS for row in layout[1:])  # noqa: S101  a typing slip above
