"""Load from the second core (c/load.c)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
        at = urlsplit(server.url)
        (self._folder / "head").write_bytes(head.format(path="/v1/verify", key=server.key).encode())
        what = (self._connections, seconds, rate, self._folder / "head", server.bodies, server.expect)
        command = pinned(LOAD_CORE, self._program, at.hostname, at.port, *what)
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
        found = json.loads(done.stdout)
        assert found["other"] == found["broken"] == 0, (server.name, found, done.stderr[:500])
        return dict(found)
