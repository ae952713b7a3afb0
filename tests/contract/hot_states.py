"""The hot states that the contract suite runs over. An opener may be called many times, in many processes, for one
state; the accounts behind it are in a SQLite file under `folder`. `url` is "" for the mapped files."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from ehc.config import Settings
from ehc.ports import HotState
from ehc.store.database import open_engine
from ehc.store.hot_mapped import MappedHotState
from ehc.store.hot_redis import RedisHotState
from ehc.store.sql_accounts import SqlAccountStore

NOW = 1_767_225_600  # 2026-01-01T00:00:00Z


def accounts(folder: Path) -> SqlAccountStore:
    return SqlAccountStore(open_engine(Settings(home=str(folder)).database_url()))


def open_hot(url: str, folder: Path) -> HotState:
    if url:
        return RedisHotState(url, accounts(folder), lambda: NOW)
    return MappedHotState(folder / "hot", accounts(folder), lambda: NOW)


_LOOP = asyncio.Runner()


def run(answer: Any) -> Any:
    """What a method answered at once, or what it gave to await; one event loop a process, as in the service."""

    async def wait(later: Awaitable[Any]) -> Any:
        return await later

    return _LOOP.run(wait(answer)) if isinstance(answer, Awaitable) else answer
