"""Minimum versions, set again and again: how long until every process that holds the keys goes by them.

    PYTHONPATH=tests python tests/survival/minimum_versions.py --changes 100

Two `ehc serve` and an `ehc machine serve` share a keyring. Each is asked, all the time and over a connection of its
own, to check a token of version 1; a change is everywhere when the last of them has another verdict. The clock runs
from before the keyring is written.
"""

import argparse
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from host_ends import framed, read_frame, served_port
from services import wait_for

from ehc.cli.serve import running_service
from ehc.client import Client
from ehc.config import Settings
from ehc.keys.keyring import Keyring, KeyState, Operation, Purpose
from ehc.store.keyring_folder import KeyringFolder

PROTECTION = Purpose.PROTECTION_KEY
SERVICES = 2
S4_TIME = framed(b"S40000AK0104000005" + b"0010" + bytes.fromhex("92FD69141DFE1553A42251E2B0196148"))

Accepts = Callable[[], bool]
"""Asks one process whether version 1 still checks."""


def keys() -> Keyring:
    made = Keyring()
    made.add(Purpose.SECURITY_KEY, bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210"), 0)
    made.add(PROTECTION, bytearray.fromhex("11223344556677888877665544332211"), 0)
    made.add(PROTECTION, bytearray(range(16)), 0, state=KeyState.PRE_ACTIVE)
    return made


@contextmanager
def processes(home: Path) -> Iterator[tuple[KeyringFolder, list[Accepts]]]:
    """All that hold the keys, and how each is asked; version 2 is the one that makes."""
    with ExitStack() as ends:
        port = served_port(keys(), home, ends)
        folder = KeyringFolder(home / "keyring")
        urls = [
            ends.enter_context(running_service(Settings(home=str(home / f"service{i}"), keyring=str(folder.path))))
            for i in range(SERVICES)
        ]
        asked = [_of_service(ends.enter_context(Client(url))) for url in urls]
        with folder.change() as ring:
            ring.step(PROTECTION, 2, Operation.ACTIVATE, 0)
        yield folder, [*asked, _of_machine(ends.enter_context(socket.create_connection(("127.0.0.1", port))))]


def _of_service(client: Client) -> Accepts:
    """The same terminal may check its code again."""
    code = client.dynamic_code(client.register("01", "11010020171225006X", "电子健康卡").card_id)
    return lambda: client.verify(code.payload, "010105", institution="H1", terminal="T1").accepted


def _of_machine(line: socket.socket) -> Accepts:
    def accepts() -> bool:
        line.sendall(S4_TIME)
        return read_frame(line)[2:4] == b"00"

    return accepts


def everywhere(asked: list[Accepts], accepted: bool) -> None:
    """Returns when all answer so."""
    waiting = [threading.Thread(target=wait_for, args=(lambda one=one: one() is accepted,)) for one in asked]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()


def seconds_of_a_change(folder: KeyringFolder, asked: list[Accepts], checking: int) -> float:
    begun = time.monotonic()
    with folder.change() as ring:
        ring.set_minimum(PROTECTION, checking=checking)
    everywhere(asked, checking == 1)
    return time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=100)
    changes = parser.parse_args().changes
    with tempfile.TemporaryDirectory() as home, processes(Path(home)) as (folder, asked):
        taken = [seconds_of_a_change(folder, asked, 2 - i % 2) for i in range(changes)]
    print(
        f"{changes} changes, each in effect in {len(asked)} processes: "
        f"median {statistics.median(taken):.2f} s, longest {max(taken):.2f} s"
    )


if __name__ == "__main__":
    main()
