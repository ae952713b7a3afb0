"""The stores that the contract suites run over: name -> opener. An opener may be called many times, in many processes,
for one database under `folder`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ehc.config import Settings
from ehc.wiring import Stores, open_store


def _sqlite(folder: Path) -> Stores:
    return open_store(Settings(home=str(folder)))


FACTORIES: dict[str, Callable[[Path], Stores]] = {"sqlite": _sqlite}


def in_process(job: Callable[..., Any], factory: str, folder: str, *arguments: Any) -> Any:
    """job(stores, *arguments), for a child process."""
    stores = FACTORIES[factory](Path(folder))
    try:
        return job(stores, *arguments)
    finally:
        stores.close()
