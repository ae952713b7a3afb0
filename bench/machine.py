"""The crypto machine over TCP on loopback: `python -m bench.machine`; the server on one core, the client on another.

Derivations a second (a digest, 3C, and a card id, S3, each) for n connections × depth, beside a serial client of plain
sockets, one question after another; and derivation through the software machine's port beside the bare kernel. Every
answer is compared with what the kernel derives.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ehc.crypto import Batch, DerivedBatch, KeyHandle, derive_batch
from ehc.crypto.host import HostBatch
from ehc.keys.keyring import Keyring, Purpose
from ehc.machine.host_pool import LinePool
from ehc.machine.software import SoftwareMachine
from ehc.store.keyring_folder import KeyringFolder

KEY = bytes(range(16, 32))
GRID = [(n, depth) for n in (1, 2, 4, 8) for depth in (1, 16, 64, 256, 1024, 4096)]


@contextmanager
def serving(cpu: int | None) -> Iterator[int]:
    """The port of a machine of its own, on that core."""
    with tempfile.TemporaryDirectory() as home, Keyring() as keyring:
        keyring.add(Purpose.SECURITY_KEY, bytearray(KEY), 1)
        KeyringFolder(Path(home) / "keyring").create(keyring)
        command = [sys.executable, "-P", "-m", "ehc.cli", "machine", "serve", "--port", "0"]
        pinned = command if cpu is None else ["taskset", "-c", str(cpu), *command]
        process = subprocess.Popen(pinned, env=os.environ | {"EHC_HOME": home}, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().split()[-1])
        finally:
            process.terminate()
            process.wait()


def people(n: int) -> Batch:
    return Batch.pack([("01", f"{110_100_20000101_0000 + i:018}", "电子健康卡") for i in range(n)])


def rate(rows: int, work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return rows / (time.perf_counter() - begun)


def pipelined(port: int, batch: Batch, wanted: DerivedBatch, connections: int, depth: int) -> float:
    pool = LinePool(("127.0.0.1", port), connections, depth, 10.0)
    made = HostBatch(batch)
    pool.make_cards(HostBatch(people(64)), 1)  # connected
    found = rate(len(batch), lambda: pool.make_cards(made, 1))
    pool.close()
    assert np.array_equal(made.card_id, wanted.card_id)
    assert np.array_equal(made.mindex, wanted.mindex)
    return found


def serial(port: int, batch: Batch, wanted: DerivedBatch) -> float:
    """As field software does it: a question, its answer, the next question."""
    frames = HostBatch(batch)
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def work() -> None:
            for row in range(len(batch)):
                for digest in (True, False):
                    ask = frames.rows.ask_digests(row, row + 1) if digest else frames.rows.ask_cards(row, row + 1, 1)
                    line.sendall(ask)
                    answer = line.recv(100)
                    assert frames.rows.take(digest, row, row + 1, answer, 0, len(answer)) == (row + 1, len(answer))

        found = rate(len(batch), work)
    assert np.array_equal(frames.card_id, wanted.card_id)
    return found


def port_and_kernel(batch: Batch, wanted: DerivedBatch) -> tuple[float, float]:
    """Best of nine, in turn."""
    with Keyring() as keyring:
        keyring.add(Purpose.SECURITY_KEY, bytearray(KEY), 1)
        machine = SoftwareMachine.of(keyring)
    key, best = KeyHandle(KEY), [0.0, 0.0]
    ways = (lambda: machine.derive_batch(batch), lambda: derive_batch(batch, key))
    assert np.array_equal(machine.derive_batch(batch).card_id, wanted.card_id)
    for _ in range(9):
        best = [max(known, rate(len(batch), way)) for known, way in zip(best, ways, strict=True)]
    return best[0], best[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--quick", action="store_true", help="two points of the grid")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    batch = people(options.rows)
    wanted = derive_batch(batch, KEY)
    through, bare = port_and_kernel(batch, wanted)
    print(f"software machine's port {through:,.0f}/s, bare kernel {bare:,.0f}/s: {through / bare:.3f}")
    with serving(cores[0] if len(cores) > 1 else None) as port:
        if len(cores) > 1:
            os.sched_setaffinity(0, {cores[1]})
        few = people(min(3000, options.rows))
        alone = serial(port, few, derive_batch(few, KEY))
        print(f"serial client {alone:,.0f}/s")
        for connections, depth in GRID[-2:] if options.quick else GRID:
            some = people(min(options.rows, 400 * connections * depth))
            found = max(pipelined(port, some, derive_batch(some, KEY), connections, depth) for _ in range(3))
            print(f"{connections} × {depth}: {found:,.0f}/s (×{found / alone:.0f})")


if __name__ == "__main__":
    main()
