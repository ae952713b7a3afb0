"""The hot states that the contract suite runs over: name -> opener. An opener may be called many times, in many
processes, for one state under `folder`; the accounts behind it are in a SQLite file there."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ehc.config import Settings
from ehc.ports import HotState
from ehc.store.database import open_engine
from ehc.store.hot_mapped import MappedHotState
from ehc.store.sql import SqlCardStore

NOW = 1_767_225_600  # 2026-01-01T00:00:00Z


def accounts(folder: Path) -> SqlCardStore:
    return SqlCardStore(open_engine(Settings(home=str(folder)).database_url()))


def _mapped(folder: Path) -> HotState:
    return MappedHotState(folder / "hot", accounts(folder), lambda: NOW)


FACTORIES: dict[str, Callable[[Path], HotState]] = {"mapped": _mapped}


def run(answer: Any) -> Any:
    """What a method answered at once, or what it gave to await."""

    async def wait(later: Awaitable[Any]) -> Any:
        return await later

    return asyncio.run(wait(answer)) if isinstance(answer, Awaitable) else answer
