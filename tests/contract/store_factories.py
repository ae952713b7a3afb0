"""The stores that the contract suites run over: name -> opener. After `prepare`, an opener may be called many times, in
many processes, for one database under `folder`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import servers

from ehc.config import Settings
from ehc.wiring.stores import Stores, open_store


def _sqlite(folder: Path) -> Stores:
    return open_store(Settings(home=str(folder)))


def _postgres(folder: Path) -> Stores:
    return open_store(Settings(home=str(folder), database=(folder / "database.url").read_text()))


def prepare(factory: str, folder: Path) -> None:
    """Make what is no file: the database of this folder, a copy of a migrated one."""
    if factory == "postgres":
        (folder / "database.url").write_text(servers.migrated_postgres())


FACTORIES: dict[str, Callable[[Path], Stores]] = {"sqlite": _sqlite, "postgres": _postgres}


def in_process(job: Callable[..., Any], factory: str, folder: str, *arguments: Any) -> Any:
    """job(stores, *arguments), for a child process."""
    stores = FACTORIES[factory](Path(folder))
    try:
        return job(stores, *arguments)
    finally:
        stores.close()
