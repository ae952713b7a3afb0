"""Templates drawn in a language. Everything is escaped unless a template says otherwise, and none does for data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ehc.model import CST, Identity
from ehc.web.console.catalogue import LANGUAGES, TEXTS
from ehc.web.console.menu import MENU

FOLDER = Path(__file__).parent
STATIC = {"console.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


def translator(language: str) -> Callable[..., str]:
    column = LANGUAGES.index(language)

    def text(key: str, **names: object) -> str:
        found = TEXTS[key][column]
        return found.format(**names) if names else found

    return text


class Drawing:
    """One a process."""

    def __init__(self) -> None:
        loader = FileSystemLoader(FOLDER / "templates")
        self._environment = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.filters |= {"time": time, "day": day, "number": number}
        self._environment.filters |= {"masked_name": masked_name, "masked_number": masked_number}
        self.static = {name: (FOLDER / "static" / name).read_bytes() for name in STATIC}
        digest = hashlib.sha256(b"".join(self.static.values())).hexdigest()[:16]
        self._environment.globals |= {"static": f"/console/static/{digest}", "menu": MENU}
        self.version = digest

    def draw(self, template: str, language: str, names: Mapping[str, Any]) -> str:
        text = translator(language)
        known = {"t": text, "is_text": TEXTS.__contains__, "language": language}
        return self._environment.get_template(template).render(known | dict(names))


def time(seconds: int | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, CST):%Y-%m-%d %H:%M:%S}"


def day(seconds: int | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, CST):%Y-%m-%d}"


def number(of: int) -> str:
    return f"{of:,}"


def masked_name(of: str) -> str:
    return Identity("", "", of).masked_name()


def masked_number(of: str) -> str:
    return Identity("", of, "").masked_number()
