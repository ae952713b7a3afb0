"""The machine's end of the host protocol when clients behave badly: real sockets, a real server loop in a thread."""

import ipaddress
from contextlib import suppress

from host_ends import SECONDS, WANTED, Served, cards_of, framed, read_frame

from ehc.machine.host_keys import HostKeys
from ehc.machine.host_server import HostServer


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
