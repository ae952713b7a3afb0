"""The machine's end of the host protocol over TCP: every frame gets its answer, in order; nobody waits for another.

All frames that have come on a line are answered by one native call. A line that sends rubbish gets codes, one that
sends half a frame waits alone, one that does not read its answers is not read from any more.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import cast

from ehc.crypto.host import HostMachine, answer_room

_FRAMES = 1 << 18  # bytes of a line's questions at a time; a frame has at most 65,537
_FULL, _STRANGER = b"\x00\x04ER32", b"\x00\x04ER33"  # too many connections; not from there

_LEAST = 2  # bytes of a frame
_UNAUDITED = HostMachine({}, {}, b"ehc", 31)  # EHC_HOST_AUDIT

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Answers = Callable[[], HostMachine]
"""The machine as its keyring is now."""


class HostServer:
    """Lines of one listening socket, from this host and these networks. lines: most at a time."""

    def __init__(
        self,
        machine: Answers,
        lines: int,
        networks: Sequence[Network] = (),
        covers: Callable[[int], bool] = lambda operations: True,
    ) -> None:
        """covers: whether so many operations more may be done, as far as the audit log is concerned."""
        self._machine, self._most, self._networks, self._covers = machine, lines, networks, covers
        self.lines: set[HostLine] = set()
        self.answers = bytearray(answer_room(_FRAMES) + _FRAMES)

    def machine(self, frames: int) -> HostMachine:
        """That answers so many bytes of frames."""
        return self._machine() if self._covers(frames // _LEAST) else _UNAUDITED

    async def listen(self, listening: socket.socket) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(lambda: HostLine(self), sock=listening)

    def admit(self, line: HostLine, peer: str) -> bytes:
        """Nothing, or what it is told before it is closed."""
        address = ipaddress.ip_address(peer)
        if not address.is_loopback and not any(address in network for network in self._networks):
            return _STRANGER
        if len(self.lines) >= self._most:
            return _FULL
        self.lines.add(line)
        return b""

    def close(self) -> None:
        """Ends every line when its answers are sent."""
        for line in list(self.lines):
            line.end()


class HostLine(asyncio.BufferedProtocol):
    """One connection: what came and is not answered stands in frames[:end]."""

    def __init__(self, server: HostServer) -> None:
        self._server, self._frames, self._end, self._held = server, bytearray(_FRAMES), 0, False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods alone
        held: socket.socket = transport.get_extra_info("socket")
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if refusal := self._server.admit(self, held.getpeername()[0]):
            transport.write(refusal)
            transport.close()

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._frames)[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        self._end += nbytes
        self._answer()

    def eof_received(self) -> bool:
        """A client that has said all may still read."""
        return False

    def pause_writing(self) -> None:
        self._held = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._held = False
        self._answer()
        if not self._held and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._server.lines.discard(self)

    def end(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _answer(self) -> None:
        """All whole frames, unless the other end does not read."""
        begin, answers, machine = 0, self._server.answers, self._server.machine(self._end)
        while not self._held and self._transport is not None:
            taken, written = machine.answer(self._frames, begin, self._end, answers)
            if not taken:
                break
            begin += taken
            self._transport.write(bytes(memoryview(answers)[:written]))
        if begin:
            left = self._end - begin
            self._frames[:left] = self._frames[begin : self._end]
            self._end = left
