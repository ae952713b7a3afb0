"""Both ends of the host protocol when the other one behaves badly: real sockets, a real server loop in a thread."""

import asyncio
import ipaddress
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress

import pytest

from ehc.crypto import Batch, Window, derive_batch
from ehc.crypto.host import HostBatch
from ehc.errors import ConfigError, KeyUnavailable, Unavailable
from ehc.keys.keyring import Keyring, Operation, Purpose
from ehc.machine.host_keys import HostKeys
from ehc.machine.host_pool import LinePool
from ehc.machine.host_server import HostServer
from ehc.machine.host_text import HostVersions
from ehc.machine.tcp import TcpMachine

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

    def __init__(self, lines=100, networks=(), port=0):
        self.keys = HostKeys()
        self.keys.take_over(ring())
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


@pytest.fixture
def served():
    server = Served()
    yield server
    server.stop()


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


# ---- the machine's end


def test_frames_in_pieces_and_many_at_once_are_answered_in_order(served):
    with served.connect() as line:
        stream = b"".join(framed(b"CR%04d" % n) for n in range(300))
        for at in range(0, 40):
            line.sendall(stream[at : at + 1])
        line.sendall(stream[40:])
        assert [read_frame(line) for _ in range(300)] == [b"CS00%04d000000000000" % n for n in range(300)]


def test_rubbish_and_half_frames_harm_nobody_else(served):
    with served.connect() as rubbish, served.connect() as half, served.connect() as idle, served.connect() as good:
        rubbish.sendall(framed(b"GET / HTTP/1.1") + framed(b"") + framed(bytes(65_535)))
        half.sendall(b"\xff\xff3C20")
        good.sendall(framed(b"CR1234"))
        assert read_frame(good) == b"CS001234000000000000"
        assert [read_frame(rubbish) for _ in range(3)] == [b"ER10", b"ER11", b"ER10"]
        assert cards_of(served) == WANTED
        idle.sendall(framed(b"CR1234"))
        assert read_frame(idle) == b"CS001234000000000000"
        half.sendall(bytes(65_535 - 4))
        assert read_frame(half) == b"3D13"


def test_who_does_not_read_waits_alone_and_gets_every_answer_in_the_end(served):
    """Answers that nobody reads stop the reading of questions: memory is bounded, and nothing is lost."""
    frame, sent = framed(b"NC"), 0
    with served.connect() as lazy:
        lazy.setblocking(False)
        with suppress(BlockingIOError):
            while sent < 1 << 26:
                sent += lazy.send(frame * 4096)
        assert sent < 1 << 26, "the server reads on without an end"
        assert cards_of(served) == WANTED
        lazy.setblocking(True)
        lazy.settimeout(SECONDS)
        answer = framed(b"ND00" + _text(served))
        got, wanted = 0, sent // 4 * len(answer)
        while got < wanted:
            got += len(lazy.recv(1 << 20))
        assert got == wanted


def _text(served):
    with served.connect() as line:
        line.sendall(framed(b"NC"))
        return read_frame(line)[4:]


def test_one_connection_too_many_is_told_so():
    served = Served(lines=1)
    try:
        with served.connect() as first:
            first.sendall(framed(b"CR1234"))
            read_frame(first)
            with served.connect() as second:
                assert read_frame(second) == b"ER32"
                assert second.recv(1) == b""
    finally:
        served.stop()


def test_who_comes_from_elsewhere_is_told_so():
    keys = HostKeys()
    server = HostServer(keys, 10, [ipaddress.ip_network("10.1.2.0/24")])
    assert server.admit(object(), "10.1.3.1").endswith(b"ER33")
    assert server.admit(object(), "10.1.2.1") == b""
    assert server.admit(object(), "127.0.0.1") == b""


# ---- the client's end: machines that misbehave


@contextmanager
def machine(*behaviours):
    """The n-th connection meets the n-th behaviour, all later ones the last."""
    listening = socket.create_server(("127.0.0.1", 0))
    open_lines = []

    def accept():
        n = 0
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            open_lines.append(line)
            behaviour = behaviours[min(n, len(behaviours) - 1)]
            threading.Thread(target=_quietly, args=(behaviour, line), daemon=True).start()
            n += 1

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for line in open_lines:
            line.close()
        thread.join()


def _quietly(behaviour, line):
    with suppress(OSError, AssertionError):
        behaviour(line)


def right(line):
    """As ours."""
    keys = HostKeys()
    keys.take_over(ring())
    answers, frames = bytearray(1 << 20), b""
    while got := line.recv(1 << 16):
        frames += got
        taken, written = keys().answer(frames, 0, len(frames), answers)
        frames = frames[taken:]
        line.sendall(answers[:written])


def silent(line):
    while line.recv(1 << 16):
        pass


def half_an_answer(line):
    read_frame(line)
    line.sendall(b"\x00\x263D00")
    silent(line)


def closes(line):
    read_frame(line)
    line.close()


def something_else(line):
    while True:
        read_frame(line)
        line.sendall(framed(b"S9"))


def twice(line):
    while True:
        read_frame(line)
        line.sendall(framed(b"CS001234000000000000") * 2)


BAD = [silent, half_an_answer, closes, something_else]


@pytest.mark.parametrize("bad", BAD)
def test_what_a_bad_line_did_not_answer_is_asked_again_on_a_new_one(bad):
    with machine(bad, right) as port:
        pool = pool_of(port, connections=1, seconds=1.0)
        assert cards(pool) == WANTED
        assert cards(pool) == WANTED
        pool.close()


@pytest.mark.parametrize("bad", BAD)
def test_a_machine_that_stays_bad_is_unavailable(bad):
    with machine(bad) as port:
        pool = pool_of(port, seconds=0.5)
        with pytest.raises(Unavailable, match=f"the crypto machine at 127.0.0.1 port {port}"):
            cards(pool)
        with pytest.raises(Unavailable):
            TcpMachine(pool, HostVersions(1, protection=1, opening=(1,))).seal_validity(1_800_000_000)
        pool.close()


def test_a_late_answer_meets_no_later_question():
    """The first question's answer comes after its time is over, on a line that is closed by then."""
    late = threading.Event()

    def slow(line):
        read_frame(line)
        late.wait(SECONDS)
        line.sendall(framed(b"CS001111000000000000"))

    with machine(slow, right) as port:
        pool = pool_of(port, connections=1, seconds=0.5)
        assert pool.ask([b"CR2222"]) == [b"CS002222000000000000"]
        late.set()
        time.sleep(0.1)
        assert pool.ask([b"CR3333"]) == [b"CS003333000000000000"]
        pool.close()


def test_an_answer_too_many_closes_the_line():
    with machine(twice) as port:
        pool = pool_of(port, connections=1, seconds=1.0)
        with suppress(Unavailable):
            pool.ask([b"CR1234"])
        assert all(line.is_quiet() for line in pool._idle) or not pool._idle
        pool.close()


def test_a_machine_that_was_started_anew_is_asked_again():
    first = Served()
    pool = pool_of(first.port, connections=3)
    assert cards(pool) == WANTED
    first.stop()
    second = Served(port=first.port)
    try:
        assert cards(pool) == WANTED
    finally:
        pool.close()
        second.stop()


def test_a_slow_machine_that_goes_on_answering_is_waited_for():
    def slowly(line):
        keys = HostKeys()
        keys.take_over(ring())
        answers, frames = bytearray(1 << 20), b""
        while got := line.recv(200):
            frames += got
            taken, written = keys().answer(frames, 0, len(frames), answers)
            frames = frames[taken:]
            time.sleep(0.02)
            line.sendall(answers[:written])

    with machine(slowly) as port:
        pool = pool_of(port, connections=1, depth=4, seconds=2.0)
        assert cards(pool, PEOPLE[:100]) == WANTED[:100]
        pool.close()


def test_nobody_waits_for_ever_for_a_connection():
    with machine(silent) as port:
        pool = pool_of(port, connections=1, seconds=0.5)
        with pool._held(1), pytest.raises(Unavailable, match="all 1 connections were busy"):
            pool.ask([b"NC"])


def test_many_threads_share_a_pool(served):
    pool, wrong = pool_of(served.port, connections=3, depth=5), []

    def ask(n):
        for k in range(20):
            if pool.ask([b"CR%02d%02d" % (n, k)]) != [b"CS00%02d%02d000000000000" % (n, k)]:
                wrong.append((n, k))
        if cards(pool) != WANTED:
            wrong.append(n)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    pool.close()


def test_a_changed_keyring_is_known_within_a_second(served):
    keys = TcpMachine(pool_of(served.port))
    token = keys.seal_validity(1_800_000_000)
    with ring() as keyring:
        keyring.add(Purpose.PROTECTION_KEY, bytearray(range(1, 17)), 2)
        served.keys.take_over(keyring)
    keys._asked_at -= 0.6  # a second later
    assert keys.seal_validity(1_800_000_000) != token
    assert keys.check_token(f"{'0' * 64}:0:{token}", 1_800_000_000, Window()).accepted
    with ring() as keyring:
        keyring.step(Purpose.PROTECTION_KEY, 1, Operation.SUSPEND, 3)
        served.keys.take_over(keyring)
    keys._asked_at -= 0.6
    with pytest.raises(KeyUnavailable, match="protection_key"):
        keys.check_token(f"{'0' * 64}:0:{token}", 1_800_000_000, Window())
    keys.close()


def test_a_machine_that_does_not_say_its_versions_needs_the_setting():
    def other(line):
        while True:
            read_frame(line)
            line.sendall(framed(b"ND00SJJ1310 V2.1"))

    with machine(other) as port:
        pool = pool_of(port, connections=1)
        with pytest.raises(ConfigError, match="machine_security_version"):
            _ = TcpMachine(pool).security_key_version
        pool.close()


def test_a_machine_of_named_versions_is_not_asked_for_them(served):
    keys = TcpMachine(pool_of(served.port), HostVersions(1, protection=1, opening=(1,)))
    assert keys.security_key_version == 1
    assert len(keys.security_key_check_value) == 6
    assert keys.derive_batch(Batch.pack(PEOPLE)).hex().card_id == WANTED
    with pytest.raises(KeyUnavailable, match="answered 20"):
        keys.derive_batch(Batch.pack(PEOPLE), version=9)
    served.keys.refuse("a test")
    with pytest.raises(Unavailable, match="answered 30"):
        keys.derive_batch(Batch.pack(PEOPLE))
    keys.close()
