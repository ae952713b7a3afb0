"""What the long runs over files show meanwhile, and say when they are stopped: ehc derive, ehc registry import."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import typer

from ehc.errors import FileError
from ehc.store.run_journal import Progress


class LongRun(Protocol):
    size: int | None  # of the input, in the unit of Progress.offset
    done: Progress  # by an earlier, interrupted run


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h


def keep_freed_memory() -> None:
    """What one block gave back the next one takes, for as long as the process lives: otherwise glibc hands it to the
    kernel, which fills every page with zeros for each block anew. Other C libraries are left alone."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 1 << 25)  # the most that it takes
        mallopt(_TRIM_THRESHOLD, 1 << 30)


@contextlib.contextmanager
def explaining(output: Path, way_on: str) -> Iterator[None]:
    """What stops a run from outside gets a sentence that says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped: {way_on}", err=True)
        raise typer.Exit(130) from None
    except OSError as error:
        if error.errno == errno.EPIPE:  # whoever read our output has gone: the command line deals with that
            raise
        raise FileError(f"{error.filename or output}: {error.strerror or error}; {way_on}") from error


@contextlib.contextmanager
def bar(run: LongRun, *, in_bytes: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar, when standard error is a terminal. in_bytes: the unit of Progress.offset; else rows."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich import progress as rich  # noqa: PLC0415  a twentieth of a second that nobody waits for without a terminal
    from rich.console import Console  # noqa: PLC0415

    columns = [
        rich.BarColumn(),
        rich.DownloadColumn() if in_bytes else rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} rows/s, left:"),
        rich.TimeRemainingColumn(),
    ]
    started = time.perf_counter()
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=run.size, completed=run.done.offset, rows=run.done.rows, rate=0.0)

        def show(progress: Progress) -> None:
            rate = (progress.rows - run.done.rows) / (time.perf_counter() - started)
            shown.update(task, completed=progress.offset, rows=progress.rows, rate=rate)

        yield show
