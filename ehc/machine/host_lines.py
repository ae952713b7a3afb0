"""Lines to a machine that speaks the host protocol: pooled, pipelined, and never trusted twice.

Answers carry no number: they belong to questions by their order alone. So a line is one caller's at a time, and one
on which an answer is missing (late, half, or not one to what was asked) is closed for good: no late answer can meet a
later question. Every question of the protocol may be asked again, and is, once, on a new line.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence

from ehc.crypto.host import HostBatch

_READ = 1 << 18  # bytes: more than the longest answer
_HEAD = 2


class Broken(Exception):
    """A line that is of no use any more, and why."""


class Line:
    """One connection. Raises Broken."""

    def __init__(self, address: tuple[str, int], seconds: float) -> None:
        self._seconds = seconds
        self.answers = bytearray(_READ)
        self.have = 0
        try:
            self.socket = socket.create_connection(address, timeout=seconds)
        except OSError as error:
            raise Broken(f"no connection: {error.strerror or error}") from error
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def ask(self, bodies: Sequence[bytes]) -> list[bytes]:
        """The bodies of the answers to as many frames, which are sent at once."""
        deadline = time.monotonic() + self._seconds
        unsent = memoryview(b"".join(len(body).to_bytes(_HEAD, "big") + body for body in bodies))
        answers: list[bytes] = []
        while len(answers) < len(bodies):
            unsent = unsent[self.send(unsent) :] if unsent else unsent
            self.receive()
            answers += self._whole()
            if len(answers) < len(bodies):
                self._wait(select.POLLIN | (select.POLLOUT if unsent else 0), deadline)
        if len(answers) > len(bodies) or self.have:
            raise Broken("more came than was asked for")
        return answers

    def _whole(self) -> list[bytes]:
        """Takes the whole answers that are there."""
        found, at = [], 0
        while self.have - at >= _HEAD:
            end = at + _HEAD + int.from_bytes(self.answers[at : at + _HEAD], "big")
            if end > self.have:
                break
            found.append(bytes(self.answers[at + _HEAD : end]))
            at = end
        self.answers[: self.have - at] = self.answers[at : self.have]
        self.have -= at
        return found

    def _wait(self, what: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(self.socket, what)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Broken(f"no answer in {self._seconds:g} s")

    def send(self, frames: memoryview) -> int:
        """How many bytes went."""
        try:
            return self.socket.send(frames)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Broken(f"the connection broke: {error.strerror}") from error

    def receive(self) -> None:
        """Adds what has come to `answers`; nothing when nothing has."""
        try:
            got = self.socket.recv_into(memoryview(self.answers)[self.have :])
        except BlockingIOError:
            return
        except OSError as error:
            raise Broken(f"the connection broke: {error.strerror}") from error
        if not got:
            raise Broken("the machine closed the connection")
        self.have += got

    def is_quiet(self) -> bool:
        """Nothing came since the last answer: neither a late one nor an end."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return not self.have and not poll.poll(0)

    def close(self) -> None:
        self.socket.close()


class Part:
    """Some rows of a batch on one line, at most `depth` frames of them without an answer."""

    def __init__(self, line: Line, batch: HostBatch, rows: range, depth: int, version: int) -> None:
        self.line, self._rows = line, batch.rows
        self.end, self._depth, self._version = rows.stop, depth, version
        self._digest_asked = self._digested = rows.stop if batch.has_mindex else rows.start
        self._card_asked = self.made = rows.start
        self._asked: deque[tuple[bool, int]] = deque()  # digests or cards, and up to which row
        self._unsent = memoryview(b"")

    @property
    def done(self) -> bool:
        return self.made == self.end

    def write(self) -> bool:
        """Sends what may be sent; True when there is more than the line takes now."""
        while self._unsent or self._ask_more():
            self._unsent = self._unsent[self.line.send(self._unsent) :]
            if self._unsent:
                return True
        return False

    def _ask_more(self) -> bool:
        """Makes the next frames, as soon as half of the depth is free: cards first, they are nearer to the end."""
        room = self._depth - (self._digest_asked - self._digested) - (self._card_asked - self.made)
        if 2 * room < self._depth:
            return False
        cards = min(room, self._digested - self._card_asked)
        digests = min(room - cards, self.end - self._digest_asked)
        frames = []
        if cards:
            begin, self._card_asked = self._card_asked, self._card_asked + cards
            frames.append(self._rows.ask_cards(begin, self._card_asked, self._version).tobytes())
            self._asked.append((False, self._card_asked))
        if digests:
            begin, self._digest_asked = self._digest_asked, self._digest_asked + digests
            frames.append(self._rows.ask_digests(begin, self._digest_asked).tobytes())
            self._asked.append((True, self._digest_asked))
        self._unsent = memoryview(b"".join(frames))
        self.take()  # rows in error are not asked: they need no answer
        return cards + digests > 0

    def read(self) -> bool:
        """Receives; True when a row went on."""
        self.line.receive()
        return self.take()

    def take(self) -> bool:
        """Takes the answers that are there; True when a row went on."""
        line, at, before = self.line, 0, (self._digested, self.made)
        while self._asked:
            digests, upto = self._asked[0]
            begin = self._digested if digests else self.made
            found = self._rows.take(digests, begin, upto, line.answers, at, line.have)
            if found is None:
                raise Broken("it answered something else than was asked")
            row, taken = found
            at += taken
            if digests:
                self._digested = row
            else:
                self.made = row
            if row < upto:
                break
            self._asked.popleft()
        left = line.have - at
        if left and not self._asked:
            raise Broken("more came than was asked for")
        if at:
            line.answers[:left] = line.answers[at : line.have]
            line.have = left
        return (self._digested, self.made) != before
