"""Every text of the console, in every language: they stand in templates/catalogue.toml, and templates hold none."""

from __future__ import annotations

import tomllib
from pathlib import Path

LANGUAGES = ("zh", "en")
"""The first one is what an operator sees who never switched."""

TEXTS: dict[str, list[str]] = tomllib.loads((Path(__file__).parent / "templates/catalogue.toml").read_text("utf-8"))
"""Key -> the text in each of LANGUAGES."""
