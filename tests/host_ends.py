"""A server of the host protocol in a thread, and a client's pool to it."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from contextlib import closing

from ehc.crypto import Batch, derive_batch
from ehc.crypto.host import HostBatch
from ehc.keys.keyring import Keyring, Purpose
from ehc.machine.host_keys import HostKeys
from ehc.machine.host_pool import LinePool
from ehc.machine.host_server import HostServer
from ehc.store.keyring_folder import KeyringFolder

KEY = bytes(range(16))
PEOPLE = [("01", f"{11010020000101000 + i:018}", "电子健康卡") for i in range(500)]
WANTED = derive_batch(PEOPLE, KEY).hex().card_id
SECONDS = 30.0


def ring():
    made = Keyring()
    made.add(Purpose.SECURITY_KEY, bytearray(KEY), 1)
    made.add(Purpose.PROTECTION_KEY, bytearray(KEY), 1)
    return made


class Served:
    """A server of ours in a thread."""

    def __init__(self, keyring=None, lines=100, networks=(), port=0):
        self.keys = HostKeys()
        self.keys.take_over(ring() if keyring is None else keyring)
        self.server = HostServer(self.keys, lines, networks)
        self.listening = socket.create_server(("127.0.0.1", port))
        self.port = self.listening.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        started = threading.Event()

        async def run():
            self.ended = asyncio.Event()
            accepting = await self.server.listen(self.listening)
            started.set()
            await self.ended.wait()
            accepting.close()
            self.server.close()
            await asyncio.sleep(0.05)

        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(run()))
        self.thread.start()
        started.wait()

    def stop(self):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join()
        self.loop.close()

    def connect(self):
        line = socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line


def framed(body):
    return len(body).to_bytes(2, "big") + body


def read_frame(line):
    def exactly(n):
        got = b""
        while len(got) < n:
            part = line.recv(n - len(got))
            assert part, "closed"
            got += part
        return got

    return exactly(int.from_bytes(exactly(2), "big"))


def pool_of(port, connections=2, depth=16, seconds=SECONDS):
    return LinePool(("127.0.0.1", port), connections, depth, seconds)


def cards(pool, people=PEOPLE):
    batch = HostBatch(Batch.pack(people))
    pool.make_cards(batch, 1)
    return batch.derived().hex().card_id


def cards_of(served):
    with closing(pool_of(served.port)) as pool:
        return cards(pool)


def thread_port(keyring, ends):
    """The port of a server in a thread, which stops when `ends` does."""
    served = Served(keyring)
    ends.callback(served.stop)
    return served.port


def served_port(keyring, home, ends):
    """The port of an `ehc machine serve` over HOME/keyring; one process, whatever the keyring, until `ends` does."""
    folder = KeyringFolder(home / "keyring")
    if not folder.sealed.exists():
        folder.create(keyring)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EHC_")}
        command = [sys.executable, "-P", "-m", "ehc.cli", "machine", "serve", "--port", "0"]
        process = subprocess.Popen(
            command, env=environment | {"EHC_HOME": str(home)}, stdout=subprocess.PIPE, text=True
        )
        ends.enter_context(process)
        ends.callback(process.kill)
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        (home / "port").write_text(line.split()[-1])
    return int((home / "port").read_text())
