"""Real servers for tests: each on a free loopback port or socket, in a folder of its own, gone when the test ends.

@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with servers.postgres(tmp_path_factory.mktemp("pg")) as started:
        yield started
"""

import atexit
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import HTTPServer
from pathlib import Path
from typing import TypeVar

import pytest

from ehc.store.database import migrate, open_engine

START_SECONDS = 60
Http = TypeVar("Http", bound=HTTPServer)


def require(missing: list[str], packages: str) -> None:
    """Without these a test cannot say anything: it fails in CI, which installs them, and is skipped elsewhere."""
    if missing:
        reason = f"{' and '.join(missing)} missing (Debian: {packages})"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(answers: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not answers():
        assert time.monotonic() < end, f"{what}: no answer in {seconds} s"
        time.sleep(0.05)


# --- a test's own HTTP server


@contextmanager
def serving(http: Http) -> Iterator[Http]:
    """It answers in a thread of its own until the end."""
    with http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield http
        finally:
            http.shutdown()
            thread.join()


# --- PostgreSQL

POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "recovery_init_sync_method": "syncfs",  # quicker than a call a file
}


@dataclass
class Postgres:
    """A cluster of its own; `create` gives the URL that ehc takes as EHC_DATABASE."""

    binaries: Path
    folder: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template0") -> str:
        """A new database, empty or a copy of one that nobody uses; its URL."""
        run_as_postgres(self.folder, self.binaries / "createdb", *self._address(), "-T", template, database)
        return self.url(database)

    def start(self) -> None:
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        place = ["-D", self.folder / "data", "-k", self.folder, "-p", self.port]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                as_postgres(self.binaries / "postgres", *place, *options), stdout=log, stderr=log, cwd=self.folder
            )
        wait_until(self._answers, "PostgreSQL")

    def stop(self) -> None:
        """As at a shutdown of the machine: open connections are cut, the cluster closes in order."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """kill -9 of the postmaster and of all its backends. `start` again recovers."""
        self._end(signal.SIGKILL)
        for pid in _stand_in(self.folder / "data"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not list(_stand_in(self.folder / "data")), "backends of a killed postmaster to go")

    def _end(self, how: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(how)
            self.process.wait(START_SECONDS)
        self.process = None

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text("utf-8")[-3000:]
        command = [self.binaries / "pg_isready", "-q", *self._address()]
        return subprocess.run(command, check=False).returncode == 0

    def _address(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]


def _stand_in(data: Path) -> Iterator[int]:
    """A backend's working directory is its cluster's; PostgreSQL does not start while one holds its shared memory."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if link.readlink() == data:
                yield int(link.parts[2])


def as_postgres(*command: object) -> list[str]:
    """PostgreSQL refuses to run as root: it is user postgres then."""
    words = [str(word) for word in command]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *words] if os.geteuid() == 0 else words


def run_as_postgres(folder: Path, *command: object) -> None:
    done = subprocess.run(as_postgres(*command), check=False, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{command[0]} said:\n{(done.stdout + done.stderr)[-3000:]}"


def postgres_binaries() -> Path | None:
    """Where initdb is: on the PATH, or where Debian puts the newest version."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgres(folder: Path, disk: Path | None = None, **settings: str) -> Iterator[Postgres]:
    """A started cluster under `folder`, or on a `disk` where user postgres may write.

    settings: of postgresql.conf, over POSTGRES_SETTINGS.
    """
    binaries = postgres_binaries()
    require([] if binaries else ["initdb"], "postgresql")
    assert binaries
    place = _folder_for_postgres(folder, disk)
    server = Postgres(binaries, place, free_port(), POSTGRES_SETTINGS | settings)
    initdb = ["-D", place / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
    try:
        run_as_postgres(place, binaries / "initdb", *initdb)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)


def _folder_for_postgres(folder: Path, disk: Path | None) -> Path:
    """As root a new one: the test's own is closed to user postgres."""
    if os.geteuid() != 0:
        return folder
    place = Path(tempfile.mkdtemp(prefix="ehc-postgres-", dir=disk))
    shutil.chown(place, "postgres", "postgres")
    return place


# --- Redis

REDIS_SETTINGS = {"bind": "127.0.0.1", "save": "", "appendonly": "yes", "appendfsync": "always", "daemonize": "no"}


@dataclass
class Redis:
    """One redis-server with its append-only file under `folder`."""

    folder: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = [word for name, value in self.settings.items() for word in (f"--{name}", value)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--dir", str(self.folder), *options], stdout=log, stderr=log
            )
        wait_until(lambda: self.command("PING") == "PONG", "Redis")

    def command(self, *words: str) -> str:
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], check=False, capture_output=True, text=True)
        return done.stdout.strip()

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9. `start` again reads the append-only file."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(START_SECONDS)
        self.process = None


def _redis(folder: Path, **settings: str) -> Redis:
    require([name for name in ("redis-server", "redis-cli") if not shutil.which(name)], "redis-server")
    folder.mkdir(parents=True, exist_ok=True)
    return Redis(folder, free_port(), REDIS_SETTINGS | settings)


@contextmanager
def redis(folder: Path, **settings: str) -> Iterator[Redis]:
    """A started server under `folder`. settings: of redis.conf, over REDIS_SETTINGS."""
    server = _redis(folder, **settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _follows(node: Redis) -> bool:
    return "master_link_status:up" in node.command("INFO", "replication")


@contextmanager
def redis_cluster(folder: Path) -> Iterator[list[Redis]]:
    """Three masters and three replicas that follow them; every server knows all slots when this yields."""
    settings = {"cluster-enabled": "yes", "cluster-node-timeout": "2000", "cluster-config-file": "nodes.conf"}
    nodes = [_redis(folder / str(n), **settings) for n in range(6)]
    for node in nodes:
        node.settings["cluster-port"] = str(free_port())
    try:
        for node in nodes:
            node.start()
        addresses = [f"127.0.0.1:{node.port}" for node in nodes]
        create = ["redis-cli", "--cluster", "create", *addresses, "--cluster-replicas", "1", "--cluster-yes"]
        done = subprocess.run(create, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        wait_until(lambda: all("cluster_state:ok" in node.command("CLUSTER", "INFO") for node in nodes), "the cluster")
        wait_until(lambda: sum(_follows(node) for node in nodes) == 3, "the replicas")
        yield nodes
    finally:
        for node in nodes:
            node.kill()


def cluster_url(nodes: list[Redis]) -> str:
    return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)


_running: list[Postgres] = []


def shared_postgres() -> Postgres:
    """One for all tests of this process, stopped at its end: without fsync, for tests that do not kill it."""
    if not _running:
        context = postgres(Path(tempfile.mkdtemp(prefix="ehc-shared-")), fsync="off", max_connections="200")
        _running.append(context.__enter__())
        atexit.register(context.__exit__, None, None, None)
    return _running[0]


_databases = itertools.count(1)


def new_postgres() -> str:
    """The URL of an empty database of one's own."""
    return shared_postgres().create(f"database_{next(_databases)}")


def migrated_postgres() -> str:
    """The URL of a database of one's own with ehc's schema: a copy, which is quicker than migrating each."""
    server, number = shared_postgres(), next(_databases)
    if not _migrated:
        engine = open_engine(server.create("migrated"))
        migrate(engine)
        engine.dispose()
        _migrated.append("migrated")
    return server.create(f"database_{number}", *_migrated)


_migrated: list[str] = []
