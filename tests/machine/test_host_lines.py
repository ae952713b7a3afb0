"""The client's end of the host protocol when the machine behaves badly: real sockets, bad servers in threads."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from host_ends import PEOPLE, SECONDS, WANTED, Served, cards, framed, pool_of, read_frame, ring

from ehc.crypto import Batch, Window
from ehc.errors import ConfigError, KeyUnavailable, Unavailable
from ehc.keys.keyring import Operation, Purpose
from ehc.machine.host_keys import HostKeys
from ehc.machine.host_text import HostVersions
from ehc.machine.tcp import TcpMachine


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
