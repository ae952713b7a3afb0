"""A source that fails in a way nobody thought of, and one that two programs want."""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from services import wait_for

from ehc.errors import Unavailable
from ehc.reader.sources import Frame
from ehc.terminal.clock import TerminalClock
from ehc.terminal.events import Hub
from ehc.terminal.running import Setup, Terminal
from ehc.terminal.verdicts import Desk
from ehc.terminal.watching import source_of


def test_a_fault_ends_no_thread() -> None:
    opened: list[float] = []

    @contextlib.contextmanager
    def broken() -> Iterator[Iterable[Frame]]:
        opened.append(time.monotonic())
        if len(opened) == 1:
            raise AttributeError("a driver without its device")  # what no EhcError is
        yield [Frame.of(np.full((32, 32), 100, np.uint8))]

    log: list[str] = []
    terminal = Terminal(Setup(Desk(None, None), TerminalClock(), source=broken), Hub(), log.append)
    terminal.start()
    try:
        wait_for(lambda: len(opened) > 1 and terminal.slot.frames > 0)
    finally:
        terminal.stop()
    assert "source: gone: fault: AttributeError" in log  # and nothing of its message


def test_of_two_that_read_one_stream_the_second_is_told(tmp_path: Path) -> None:
    pipe = tmp_path / "camera.y4m"
    os.mkfifo(pipe)
    source = source_of(str(pipe))
    with (
        pipe.open("r+b", buffering=0),  # somebody writes it all along
        source(),
        pytest.raises(Unavailable, match="another program reads this stream"),
        source(),
    ):
        pass
