"""ehc reader: a window's reading terminal (识读终端), its list for times without network, its soak."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ehc.cli.local_server import address_of, secret, serve
from ehc.cli.reader_bench import bench
from ehc.client import BearerKey, Client, HmacKey
from ehc.client.retrying import Retries
from ehc.codes.offline import OfflineList, SignedList, open_list
from ehc.crypto import sm3
from ehc.errors import ConfigError, FileError
from ehc.reader.offline import OfflineCheck, read_keys
from ehc.store.outbox import Outbox
from ehc.terminal.app import create_app
from ehc.terminal.clock import TerminalClock
from ehc.terminal.events import Hub
from ehc.terminal.lists import KeptList, write_list
from ehc.terminal.running import Setup, Terminal
from ehc.terminal.soak import FRAMES_A_DAY, Sample, grown
from ehc.terminal.soak import soak as soaked
from ehc.terminal.uploads import Uploads
from ehc.terminal.verdicts import ClientCheck, Desk
from ehc.terminal.watching import Source, source_of

QUEUE = Path("~/.local/share/ehc/terminal-queue.db")
TIMEOUT = 5.0
CAMERA = "/dev/video0"

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="A window's reading terminal (识读终端).")
app.command()(bench)

Service = Annotated[str | None, typer.Option(metavar="URL", help="The service that verifies.")]
Key = Annotated[str | None, typer.Option(metavar="ID", help="Id of an authorisation key; without it a caller's key.")]
KeyFile = Annotated[Path | None, typer.Option(metavar="FILE", help="File of the key, mode 0600.")]
Sdk = Annotated[str | None, typer.Option(help="NAME/VERSION/PLATFORM, as registered, with --key.")]
Trust = Annotated[Path | None, typer.Option(metavar="FILE", help="The issuer's public keys, in hex.")]


@app.command()
def run(
    *,
    source: Annotated[
        str, typer.Option(help="Camera, folder, picture, video, YUV4MPEG2 stream (- is stdin), or none.")
    ] = CAMERA,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Of raw frames, with --format.")] = None,
    format: Annotated[str, typer.Option(help="Of raw frames: GREY, NV12, YUYV, RGB3, BGR3.")] = "GREY",
    serial: Annotated[str, typer.Option(metavar="DEVICE", help="A scanner on a serial line too.")] = "",
    speed: Annotated[int, typer.Option(help="Of the serial line.")] = 9600,
    service: Service = None,
    key: Key = None,
    key_file: KeyFile = None,
    sdk: Sdk = None,
    scene: Annotated[str | None, typer.Option(metavar="CODE", help="诊疗环节: 010101 挂号, 010105 收费 …")] = None,
    institution: Annotated[str | None, typer.Option(help="Whose window this is.")] = None,
    terminal: Annotated[str | None, typer.Option(help="The window's name for the service.")] = None,
    offline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the list for times without network is kept.")
    ] = None,
    refresh: Annotated[
        float, typer.Option(metavar="MINUTES", min=0.01, help="How often the service is asked for that list.")
    ] = 10.0,
    trust: Trust = None,
    queue: Annotated[Path, typer.Option(metavar="FILE", help="What was accepted without network.")] = QUEUE,
    repeat: Annotated[float, typer.Option(help="Seconds in which the same code is one scan.")] = 3.0,
    host: Annotated[str, typer.Option(help="IP address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: a free one, which is printed.")] = 8470,
    token_file: Annotated[Path | None, typer.Option(help="Token that others must show.")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="A page of hospital software that may listen.")] = None,
) -> None:
    """Watch a camera and scanners, say of every code what it is, serve a page for the window and events for software.

    The page is at /, the scanner test at /test, events at /api/events (WebSocket)
    and /api/next; /api/scan takes what software's own scanner read. A keyboard
    scanner types into the page. Without a service and a list nothing is checked,
    and nothing is called accepted. With --service and --offline the list is fetched,
    checked by the keys of --trust and kept in FILE; the last good one serves while
    the service is away. Without --service FILE is one of ehc reader list.

    \b
    Examples:
      ehc reader run --service https://ehc.example --key-file key --scene 010101 --institution H1 --terminal w3
      ehc reader run --source none --serial /dev/ttyACM0
      ffmpeg -f v4l2 -i /dev/video2 -f yuv4mpegpipe - | ehc reader run --source -
    """
    token = None if token_file is None else secret(token_file, r"\S{16,256}", "a token has 16 characters or more")
    address = address_of(host, token)
    if bool(service or offline) != bool(scene):
        raise ConfigError("--scene CODE goes with --service or --offline: what a code may be used for depends on it")
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(_client(service, key, key_file, sdk, institution)) if service else None
        clock, uploads, checks, lists = TerminalClock(), None, None, None
        if offline and scene:
            lists, outbox = _offline(offline, trust, fetched=client is not None), _outbox(queue, key_file)
            stack.callback(outbox.close)
            place = (institution or "", terminal or "terminal")
            uploads = Uploads(outbox, scene, *place, note=_log)
            checks = OfflineCheck(None, scene, clock, uploads.keep, outbox.marks(clock()))
            _go_by(lists, checks, fetched=client is not None)
        online = ClientCheck(client, scene, institution, terminal) if client and scene else None
        hub = Hub()
        setup = Setup(
            desk=Desk(online, checks),
            clock=clock,
            scene=scene or "",
            source=_source(source, size, format),
            source_name=source,
            serial=serial,
            serial_speed=speed,
            client=client,
            uploads=uploads,
            lists=lists,
            take=checks.take if checks else None,
            list_seconds=60 * refresh,
            repeat_seconds=repeat,
        )
        served = create_app(Terminal(setup, hub, _log), hub, token, origin or ())
        asyncio.run(serve(served, address, port, websockets=True))


@app.command()
def soak(
    *,
    minutes: Annotated[float, typer.Option(min=0.05, help="How long; ten are a day's frames and more.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Of what is seen and typed.")] = 1,
) -> None:
    """A day at a window in minutes: frames at full rate, codes of all kinds, scanners, a camera that comes and goes.

    Prints what became of the frames (a newer one came first; like one that held
    nothing; a code was read; none), and memory, file handles and threads as they go.

    \b
    Exit code:
      0  none of them grew after the warm-up
      1  something grew; it is named
    """
    typer.echo("  seconds     frames    dropped  unchanged       read    nothing   verdicts      MiB  files  threads")

    def tell(one: Sample) -> None:
        counts = " ".join(f"{count:10,}" for count in one[1:7])
        typer.echo(f"{one.seconds:9.1f} {counts} {one.mib:8.1f} {one.files:6} {one.threads:8}")

    samples = asyncio.run(soaked(60 * minutes, seed, tell))
    typer.echo(f"{samples[-1].frames / FRAMES_A_DAY:.2f} days of frames at 30 a second")
    if more := grown(samples):
        typer.echo("grew: " + "; ".join(more), err=True)
        raise typer.Exit(1)
    typer.echo("nothing grew")


@app.command("list")
def fetch_list(
    *,
    service: Annotated[str, typer.Option(metavar="URL", help="The service that signs the list.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where it goes.")],
    key: Key = None,
    key_file: KeyFile = None,
    sdk: Sdk = None,
    institution: Annotated[str | None, typer.Option(help="For whom.")] = None,
    trust: Trust = None,
) -> None:
    """Fetch the issuer's list for times without network; it is written only when a trusted key signed it.

    Without --trust the list is taken by the keys that stand in it, and their
    fingerprints are printed: compare them with the issuer's, and keep the keys in
    a file for --trust.
    """
    with _client(service, key, key_file, sdk, institution) as client:
        found = client.offline_list()
    signed = SignedList(found.list, found.key_version, found.signature)
    trusted = read_keys(trust) if trust else _own_keys(signed)
    opened = open_list(signed, trusted)
    write_list(out, signed)
    typer.echo(f"{out}: issuer {opened.issuer}, scenes {', '.join(opened.scenes)}, until {opened.until}")
    for version, public in opened.keys.items() if not trust else ():
        typer.echo(f"key {version}: {public}\n  fingerprint {sm3(bytes.fromhex(public)).hex()[:32]}: compare it")


def _own_keys(signed: SignedList) -> list[bytes]:
    try:
        return [bytes.fromhex(key) for key in msgspec.json.decode(signed.list, type=OfflineList).keys.values()]
    except (msgspec.MsgspecError, ValueError) as error:
        raise FileError("the service gave no offline list") from error


def _source(name: str, size: str | None, code: str) -> Source | None:
    if name == "none":
        return None
    if size is None:
        return source_of(name)
    if not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", size):
        raise ConfigError(f"--size: {size!r} is no size, such as 1280x720")
    width, height = size.split("x")
    return source_of(name, (int(width), int(height)), code)


def _client(service: str, key: str | None, key_file: Path | None, sdk: str | None, institution: str | None) -> Client:
    """It does not try again by itself: a queue of people waits."""
    if not re.match(r"https?://[^/]+", service):
        raise ConfigError(f"--service: {service!r} is no URL, such as https://ehc.example")
    shown: BearerKey | HmacKey | None = None
    if key is not None:
        if key_file is None or sdk is None:
            raise ConfigError("--key needs --key-file and --sdk")
        digits = secret(key_file, "[0-9A-Fa-f]{64}", "an authorisation key has 64 hex digits")
        shown = HmacKey(key, bytes.fromhex(digits))
    elif key_file is not None:
        shown = BearerKey(secret(key_file, r"\S{16,256}", "a caller's key is one word"))
    return Client(service, shown, sdk=sdk, institution=institution, retries=Retries(attempts=1), timeout=TIMEOUT)


def _offline(file: Path, trust: Path | None, *, fetched: bool) -> KeptList:
    if trust is None:
        raise ConfigError("--offline needs --trust: the issuer's public keys, given by hand")
    if fetched:
        return KeptList.fetched(file, read_keys(trust), _log)
    if not file.exists():
        raise FileError(f"{file}: no offline list; ehc reader list fetches one, and with --service the terminal does")
    return KeptList(file, read_keys(trust))


def _go_by(lists: KeptList, checks: OfflineCheck, *, fetched: bool) -> None:
    """The list on the disk, if there is one. Raises ConfigError where it has no place for the scene, unless another
    one is to come."""
    if lists.held is None:
        return
    try:
        checks.take(lists.held)
    except ConfigError as error:
        if not fetched:
            raise
        _log(f"offline list: {error}")


def _outbox(queue: Path, key_file: Path | None) -> Outbox:
    """Sealed under the terminal's own key; where it has none, under one made for this file."""
    queue = queue.expanduser()
    if key_file is not None:
        return Outbox(queue, secret(key_file, r"\S{16,256}", "a key is one word").encode())
    own = queue.with_name(queue.name + ".key")
    with contextlib.suppress(FileExistsError):
        own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(made, secrets.token_hex(32).encode())
        os.fsync(made)
        os.close(made)
    return Outbox(queue, secret(own, "[0-9a-f]{64}", "the queue's key has 64 hex digits").encode())


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
