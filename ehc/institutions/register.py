"""The register of institutions: what may stand in it, and what may be changed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ehc.errors import InputError, NotFound
from ehc.institutions.place import Change, Channel, Department, Institution, P, Part, PlaceStore, Terminal

PAGE = 500
"""The most places in one answer."""

CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_REGION = re.compile(r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|81|82)[0-9]{4}", re.ASCII)
_PREFIX = re.compile(r"[0-9]{0,6}", re.ASCII)
_KIND = re.compile(r"[A-Z][0-9]{0,3}", re.ASCII)
_WORDS = {Institution: "institution", Department: "department", Terminal: "terminal"}


class Register:
    """Institutions, departments and terminals. by: the caller or the operator who asks. All raise Unavailable."""

    def __init__(self, store: PlaceStore) -> None:
        self._store = store

    def add(self, place: P, by: str) -> P:
        """As it was kept. Raises InputError, Conflict, NotFound for an institution that there is not."""
        _code(place.code)
        institution = place.code if isinstance(place, Institution) else self.find(Institution, place.institution).code
        kind = type(place)
        fields: dict[str, Any] = {
            name: self._checked(kind, institution, name, getattr(place, name)) for name in _FIELDS[kind]
        }
        new = replace(place, **fields)
        self._store.add(new, by)
        return new

    def change(self, kind: type[P], key: Sequence[str], change: Change, now: int, by: str) -> P:
        """Raises InputError for what may not be changed so, NotFound."""
        self.find(kind, *key)
        fields = {name: self._checked(kind, key[0], name, value) for name, value in change.fields.items()}
        return self._store.change(kind, key, Change(fields, change.enabled), now, by)

    def _checked(self, kind: type[P], institution: str, field: str, value: str | None) -> str | None:
        if field not in _FIELDS[kind]:
            raise InputError(f"{field}: of a {_WORDS[kind]} this cannot be changed")
        if field == "department":
            return self._department(institution, value)
        return _CHECKS[field](value or "")

    def _department(self, institution: str, code: str | None) -> str | None:
        if code is not None and not (CODE.fullmatch(code) and self._store.find(Department, institution, code)):
            raise InputError("department: the institution has none of this code; register it first")
        return code

    def find(self, kind: type[P], *key: str) -> P:
        """Raises NotFound."""
        found = self._store.find(kind, *key) if all(map(CODE.fullmatch, key)) else None
        if found is None:
            raise NotFound(f"no {_WORDS[kind]} has this code")
        return found

    def institutions(self, region: str, after: str, limit: int) -> Sequence[Institution]:
        """Of a region: its six digits, or the first two or four. Raises InputError."""
        if not _PREFIX.fullmatch(region):
            raise InputError("region: digits of GB/T 2260, two, four or six")
        return self._store.institutions(region, _after(after), limit)

    def within(self, kind: type[Part], institution: str, after: str, limit: int) -> Sequence[Part]:
        """Raises InputError, NotFound."""
        return self._store.within(kind, self.find(Institution, institution).code, _after(after), limit)


def _after(code: str) -> str:
    return _code(code, "after") if code else ""


def _code(code: str, field: str = "code") -> str:
    if not CODE.fullmatch(code):
        raise InputError(f"{field}: 1 to 64 letters, digits, dots, dashes and underscores, none of . - _ first")
    return code


def _name(name: str) -> str:
    found = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(found) <= 128 or any(unicodedata.category(character)[0] == "C" for character in found):
        raise InputError("name: 1 to 128 characters, all of them visible")
    return found


def _region(region: str) -> str:
    if not _REGION.fullmatch(region):
        raise InputError("region: six digits of GB/T 2260, of a province that there is")
    return region


def _kind(kind: str) -> str:
    if not _KIND.fullmatch(kind):
        raise InputError("kind: a class of WS 218, a letter with up to three digits: A, A100 …")
    return kind


def _channel(channel: str) -> Channel:
    try:
        return Channel(channel)
    except ValueError:
        raise InputError("channel: 01 人工窗口, 02 自助机, 99 其他") from None


_CHECKS: dict[str, Callable[[str], str]] = {"name": _name, "region": _region, "kind": _kind, "channel": _channel}

_FIELDS: dict[type, tuple[str, ...]] = {
    Institution: ("name", "region", "kind"),
    Department: ("name",),
    Terminal: ("channel", "department"),
}
"""What may be changed."""
