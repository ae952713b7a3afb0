"""Load from the second core (c/load.c)."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from service_servers import LOAD_CORE, Server, pinned


def compile_load(folder: Path) -> Path:
    program = folder / "load"
    subprocess.run(["gcc", "-O2", "-o", program, Path(__file__).parent / "c" / "load.c"], check=True)
    return program


class Load:
    def __init__(self, program: Path, folder: Path, connections: int) -> None:
        self._program, self._folder, self._connections = program, folder, connections

    def run(self, server: Server, head: str, rate: int, seconds: float) -> dict[str, Any]:
        """Raises AssertionError when an answer is not the one that a good code gets."""
        command = self._command(server, head, rate, seconds)
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 300)
        return _good(server, done.stdout, done.stderr)

    @contextlib.contextmanager
    def beside(self, server: Server, head: str, rate: int) -> Iterator[list[NDArray[np.float64]]]:
        """While the block runs; then the list has rows (moment at which it was due, latency) in seconds, by moment."""
        file, noted = self._folder / "times", list[NDArray[np.float64]]()
        command = self._command(server, head, rate, 86_400, file)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield noted
            finally:
                process.terminate()
                output, errors = process.communicate(timeout=60)
        _good(server, output, errors)
        rows = np.fromfile(file).reshape(-1, 2)
        noted.append(rows[np.argsort(rows[:, 0])])

    def _command(self, server: Server, head: str, rate: int, seconds: float, *times: Path) -> list[str]:
        at = urlsplit(server.url)
        (self._folder / "head").write_bytes(head.format(path="/v1/verify", key=server.key).encode())
        what = (self._connections, seconds, rate, self._folder / "head", server.bodies, server.expect, *times)
        return pinned(LOAD_CORE, self._program, at.hostname, at.port, *what)


def _good(server: Server, output: str, errors: str) -> dict[str, Any]:
    found = json.loads(output)
    assert found["other"] == found["broken"] == 0, (server.name, found, errors[:500])
    return dict(found)
