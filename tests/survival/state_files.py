"""How far a campaign has come, in a file that is always whole: the next run goes on from there."""

import json
from pathlib import Path
from typing import Any


def read_state(file: Path | None) -> dict[str, Any]:
    return json.loads(file.read_text("utf-8")) if file is not None and file.exists() else {}


def write_state(file: Path | None, state: dict[str, Any]) -> None:
    if file is not None:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(state), "utf-8")
        fresh.replace(file)
