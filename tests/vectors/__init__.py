"""Known answers as data; `load("sm3")` reads sm3.toml."""

import tomllib
from pathlib import Path
from typing import Any


def load(subject: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / f"{subject}.toml").read_text("utf-8"))
