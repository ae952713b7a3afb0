"""The terminal's pages and endpoints. README.md has the table, door.py says who may come."""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from collections.abc import AsyncIterator, Callable, Collection
from importlib.resources import files
from typing import Any

import anyio
import msgspec
import segno
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from ehc.errors import EhcError, edge
from ehc.reader.typed import Assembler, Stroke, Typed
from ehc.terminal import events
from ehc.terminal.advice import typed_event
from ehc.terminal.door import Door
from ehc.terminal.events import Hub, encode
from ehc.terminal.picture import Pictures
from ehc.terminal.running import Terminal

PICTURES_A_SECOND = 10
LARGEST_BODY = 16_384
LARGEST_MESSAGE, MOST_MESSAGES = 1 << 20, 256
TICK = 0.1
LONGEST_WAIT = 60.0
LATE_SECONDS = 0.4
"""By which keystrokes of a busy page may come late."""
SAMPLE = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:0:92FD69141DFE1553A42251E2B0196148"
"""Of the specification's sample person and of 2018: it shows how a scanner types, and opens nothing."""
_KINDS = {"html": "text/html; charset=utf-8", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_PAGES = {"/": "window.html", "/test": "test.html"}


class _Scan(msgspec.Struct, forbid_unknown_fields=True):
    payload: str


def create_app(terminal: Terminal, hub: Hub, token: str | None = None, origins: Collection[str] = ()) -> ASGIApp:
    pictures = Pictures()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        hub.open(asyncio.get_running_loop())
        terminal.start()
        yield
        hub.close()
        await anyio.to_thread.run_sync(terminal.stop)

    async def status(_request: Request) -> Response:
        return _json(terminal.status())

    async def scan(request: Request) -> Response:
        """What hospital software's own scanner read; its verdict."""
        body = await request.body()
        if len(body) > LARGEST_BODY:
            return _problem(413, "a scan has at most 16 KiB")
        try:
            payload = msgspec.json.decode(body, type=_Scan).payload
            with hub.listening() as queue:
                number = terminal.submit(payload, "software")
                return (
                    await _verdict(queue, lambda said: said.number == number) if number else Response(status_code=204)
                )
        except msgspec.MsgspecError as error:
            return _problem(422, f'send {{"payload": "…"}}: {error}')
        except EhcError as error:
            return _problem(edge(error).http, str(error))

    async def following(request: Request) -> Response:
        """The next verdict, for software without WebSocket; 204 when there was none in time."""
        try:
            seconds = min(LONGEST_WAIT, float(request.query_params.get("seconds", LONGEST_WAIT)))
        except ValueError:
            return _problem(422, "seconds: a number")
        with hub.listening() as queue:
            return await _verdict(queue, lambda _: True, seconds)

    async def live(_request: Request) -> Response:
        return StreamingResponse(_parts(terminal, pictures), media_type="multipart/x-mixed-replace; boundary=frame")

    async def listen(socket: WebSocket) -> None:
        await socket.accept()
        await _serve(socket, terminal, hub, testing="test" in socket.query_params)

    routes: list[Any] = [Route(path, _static(name)) for path, name in _PAGES.items()]
    routes += [Route("/static/{name}", _static()), Route("/sample.svg", _sample), Route("/live", live)]
    routes += [Route("/api/status", status), Route("/api/next", following), Route("/api/scan", scan, methods=["POST"])]
    app = Starlette(routes=[*routes, WebSocketRoute("/api/events", listen)], lifespan=lifespan)
    return Door(app, token, origins)


async def _verdict(
    queue: asyncio.Queue[events.Event], wanted: Callable[[events.Said], bool], seconds: float = LONGEST_WAIT
) -> Response:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                event = await queue.get()
                if isinstance(event, events.Said) and wanted(event):
                    return _json(event)
    return Response(status_code=204)


async def _serve(socket: WebSocket, terminal: Terminal, hub: Hub, *, testing: bool) -> None:
    """Events out, keystrokes in. A page that connects is told how things stand, and nothing of who was before."""
    with hub.listening() as queue, contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_bytes(encode(terminal.status()))
        sending = asyncio.create_task(_send(socket, queue))
        try:
            await _take(socket, terminal, testing=testing)
        finally:
            sending.cancel()


async def _send(socket: WebSocket, queue: asyncio.Queue[events.Event]) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.send_bytes(encode(await queue.get()))


class _Strokes(msgspec.Struct, forbid_unknown_fields=True):
    """[text, seconds by the page's clock, KeyboardEvent.code, with shift] of each key."""

    strokes: list[tuple[str, float, str, bool]]


_strokes = msgspec.json.Decoder(_Strokes)


async def _take(socket: WebSocket, terminal: Terminal, *, testing: bool) -> None:
    """Until the page goes. What has no suffix is complete when the page has been silent for a while."""
    came = asyncio.Queue[str](MOST_MESSAGES)  # waiting for it may be given up; a message half received would be lost
    receiving = asyncio.create_task(_receive(socket, came))
    wedge, ahead = Assembler(), 0.0  # ahead: the page's clock, less ours
    try:
        while not receiving.done():
            scanned: list[Typed] = []
            try:
                async with asyncio.timeout(TICK):
                    text = await came.get()
                strokes = [Stroke(*one) for one in _strokes.decode(text).strokes]
                ahead = strokes[-1].at - time.monotonic() if strokes else ahead
                scanned = wedge.strokes(strokes)
            except TimeoutError:
                scanned = wedge.poll(time.monotonic() + ahead - LATE_SECONDS)
            except msgspec.MsgspecError:
                continue
            for one in scanned:
                await _scanned(socket, terminal, one, testing=testing)
    finally:
        receiving.cancel()


async def _receive(socket: WebSocket, came: asyncio.Queue[str]) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, KeyError):
        while True:
            await came.put((await socket.receive_text())[:LARGEST_MESSAGE])


async def _scanned(socket: WebSocket, terminal: Terminal, scanned: Typed, *, testing: bool) -> None:
    if testing:
        await socket.send_bytes(encode(typed_event(scanned)))
        return
    with contextlib.suppress(EhcError):
        terminal.typed(scanned)


async def _parts(terminal: Terminal, pictures: Pictures) -> AsyncIterator[bytes]:
    """One JPEG a new frame."""
    last = None
    while True:
        frame = terminal.picture()
        if frame is not None and frame is not last:
            with contextlib.suppress(ValueError, TypeError, BufferError):
                jpeg = await anyio.to_thread.run_sync(pictures.draw, frame)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                yield head.encode() + jpeg + b"\r\n"
            last = frame
        await asyncio.sleep(1 / PICTURES_A_SECOND)


def _static(page: str = "") -> Callable[[Request], Response]:
    folder = files("ehc.terminal") / "static"
    names = {one.name for one in folder.iterdir()}

    def serve(request: Request) -> Response:
        name = page or request.path_params["name"]
        if name not in names:
            return _problem(404, "no such file")
        return Response((folder / name).read_bytes(), media_type=_KINDS[name.rsplit(".", 1)[-1]])

    return serve


def _sample(_request: Request) -> Response:
    drawn = io.BytesIO()
    segno.make_qr(SAMPLE, error="m").save(drawn, kind="svg", scale=6, border=4)
    return Response(drawn.getvalue(), media_type=_KINDS["svg"])


def _json(event: events.Event) -> Response:
    return Response(encode(event), media_type="application/json")


def _problem(status: int, detail: str) -> Response:
    body = msgspec.json.encode({"status": status, "title": "The terminal refuses", "detail": detail})
    return Response(body, status, media_type="application/problem+json")
