"""ehc scan: read codes from pictures or a camera, say what they are, check them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ehc import config
from ehc.cli.keys import Folder, PassphraseFile, passphrase_source
from ehc.errors import TABLE, PayloadError, Refused
from ehc.model import CST, Flag, Payload, Profile
from ehc.reader import camera as cameras
from ehc.reader.offline import OfflineCheck, read_keys, read_list
from ehc.reader.pipeline import Reader
from ehc.reader.readings import Reading
from ehc.reader.scanning import Check, KeyringCheck, Kind, Outcome, Scan, Scanner, ServiceCheck
from ehc.reader.sources import MAX_BYTES

STDIN = Path("-")
CAMERA_BUDGET_MS = 60.0
"""Of one frame: at 15 frames a second the next one is due, and it may be sharper."""
NO_CARD, REFUSED = TABLE[PayloadError].exit, TABLE[Refused].exit

_FLAGS = {
    Flag.DYNAMIC: ("dynamic", "dynamic code (动态码)"),
    Flag.STATIC: ("static", "static code (静态码)"),
    Flag.TEMPORARY: ("temporary", "temporary card (临时卡)"),
    None: ("bare", "bare card id, taken as a static code (静态码); not conformant"),
}
_PROFILES = {
    Profile.E2: ("compact", "compact dynamic code (动态码)"),
    Profile.E3: ("signed", "signed dynamic code (动态码)"),
}


def scan(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Pictures (- is stdin); with --camera: the device.", show_default=False),
    ] = None,
    *,
    camera: Annotated[
        bool, typer.Option("--camera", help=f"Watch a camera ({cameras.DEFAULT}) until it sees a health card.")
    ] = False,
    check: Annotated[
        bool | None,
        typer.Option("--check/--no-check", help="Check tokens with the keyring; so too with --keyring or EHC_KEYRING."),
    ] = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
    service: Annotated[
        str | None, typer.Option(metavar="URL", help="Have codes verified by a running service.")
    ] = None,
    scene: Annotated[
        str | None, typer.Option(metavar="CODE", help="诊疗环节, with --service: 010101 挂号, 010105 收费 …")
    ] = None,
    terminal: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of this place for the service's log, with --service.")
    ] = None,
    offline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Check signed codes (E3) without network, by this list (ehc reader list)."),
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The issuer's public keys, in hex, with --offline.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of text.")] = False,
) -> None:
    """Read the health card code (电子健康卡) in each picture and say what it is.

    A picture may be a photo, a screenshot or a scan (PNG, JPEG, WebP, BMP, GIF,
    TIFF, PPM). Another code is named, its content is not shown: payment codes are
    money. Health cards of two people in one picture are not taken. A bad file is
    reported and the others are read.

    Without a check, "health card" means that the text has the form of one.
    With the keyring, dynamic codes are checked as far as that goes without a
    service: made under the protection key, and in time. Static codes prove
    nothing, so they are refused there. With --service all eight steps are taken;
    where a code serves once (收费), an acceptance uses it up. With --offline signed
    codes are checked by the issuer's list; where they serve once, ehc reader run
    has to keep what was accepted.

    \b
    Exit code:
      0  every picture held a health card, accepted if it was checked
      3  some picture had none, or could not be read
      4  some code was refused; the highest of them counts
      5  the keyring cannot be used
      8  the service or the camera is not there

    \b
    Examples:
      ehc scan photo.jpg
      ehc scan --json *.png
      ehc scan --keyring /srv/ehc/keyring photo.jpg
      ehc scan --service http://127.0.0.1:8480 --scene 010101 photo.jpg
      ehc scan --offline list.json --trust issuer.hex --scene 010101 photo.jpg
      ehc scan --camera /dev/video2
    """
    if not files and not camera:
        raise typer.BadParameter("name a picture, or say --camera")
    if camera and len(files or []) > 1:
        raise typer.BadParameter("--camera takes one device")
    if sum((bool(service), bool(offline), bool(check or keyring))) > 1:
        raise typer.BadParameter("check with the keyring, with --service or with --offline: one of them")
    if bool(service or offline) != bool(scene) or bool(offline) != bool(trust):
        raise typer.BadParameter(
            "--service URL goes with --scene CODE, --offline FILE with --trust FILE and --scene CODE: what a code may"
            " be used for depends on it"
        )
    with_keyring = check is not False and bool(check or keyring or os.environ.get("EHC_KEYRING"))
    with contextlib.ExitStack() as stack:
        checker: Check | None = None
        if service and scene:
            checker = stack.enter_context(contextlib.closing(ServiceCheck(service, scene, terminal)))
        elif offline and scene and trust:
            checker = OfflineCheck(read_list(offline, read_keys(trust)), scene, lambda: int(time.time()))
        elif with_keyring:
            checker = _keyring_check(keyring, passphrase_file)
        scans = _camera_scans(files or [], checker) if camera else _file_scans(files or [], checker)
        worst = _report(scans, as_json)
    if worst:
        raise typer.Exit(worst)


def _keyring_check(keyring: Path | None, passphrase_file: Path | None) -> Check:
    from ehc.codes.policy import scene_policy  # noqa: PLC0415
    from ehc.wiring.keys import open_machine  # noqa: PLC0415  the database's drivers, half a second that only this needs
    from ehc.wiring.stores import system_clock  # noqa: PLC0415  the database's drivers, half a second that only this needs

    settings = config.load(os.environ)
    if keyring:
        settings = msgspec.structs.replace(settings, keyring=str(keyring))
    keys = open_machine(settings, passphrase_source(passphrase_file))
    return KeyringCheck(keys, system_clock, scene_policy(settings).window)


def _file_scans(files: list[Path], check: Check | None) -> Iterator[Scan]:
    scanner = Scanner(Reader(tracking=False, thorough=True), check)
    for file in files:
        if file == STDIN:
            yield scanner.file(io.BytesIO(sys.stdin.buffer.read(MAX_BYTES + 1)), "stdin")
        else:
            yield scanner.file(file)


def _camera_scans(files: list[Path], check: Check | None) -> Iterator[Scan]:
    """Every other code once, and then the health card."""
    scanner, shown = Scanner(Reader(budget_ms=CAMERA_BUDGET_MS), check), set[str]()
    with cameras.Camera(str(files[0]) if files else cameras.DEFAULT) as camera:
        for frame in camera:
            found = scanner.frame(frame)
            if found.kind is Kind.HEALTH_CARD:
                yield found
                return
            seen = {reading.payload for reading in found.others}
            if seen - shown:
                print(_text(found), file=sys.stderr)
            shown |= seen


def _report(scans: Iterable[Scan], as_json: bool) -> int:
    """Prints every scan as soon as it is there; the exit code."""
    worst = 0
    for found in scans:
        print(_json(found) if as_json else _text(found), flush=True)
        if not found.accepted:
            worst = max(worst, REFUSED if found.kind is Kind.HEALTH_CARD else NO_CARD)
    return worst


def _text(found: Scan) -> str:
    lines = [f"{found.name}: {_headline(found)}"]
    if found.reading:
        lines += [f"  {name:<13}{value}" for name, value in _details(found.reading, found.reading.card, found.outcome)]
        lines += [f"  {'beside it':<13}{_what(other)}" for other in found.others]
    elif found.kind is not Kind.UNREADABLE:
        lines.append(f"  {found.sentence.zh}")
    return "\n".join(lines)


def _headline(found: Scan) -> str:
    match found.kind:
        case Kind.HEALTH_CARD:
            return f"electronic health card (电子健康卡), {_sort(found.reading)[1]}"
        case Kind.SEVERAL:
            return "health cards of more than one person: show one at a time"
        case Kind.FOREIGN:
            what = "; ".join(_what(other) for other in found.others)
            return f"no electronic health card (电子健康卡), but {what}"
        case Kind.NOTHING:
            return "no code found: hold it nearer, flatter and steadier, without a reflection on it"
        case Kind.UNREADABLE:
            return f"unreadable: {found.error.removeprefix(f'{found.name}: ')}"


def _what(reading: Reading) -> str:
    return f"{reading.found} in a {reading.format} symbol"


def _sort(reading: Reading | None) -> tuple[str, str]:
    """Of a health card: its word in JSON, and for people."""
    if reading is None or reading.card is not None:
        return _FLAGS[reading.card.flag if reading and reading.card else None]
    return _PROFILES[reading.meaning.profile or Profile.STATIC]


def _details(reading: Reading, card: Payload | None, outcome: Outcome | None) -> Iterator[tuple[str, str]]:
    if card:
        parts = {"card id": card.card_id, "token": card.token, "organisation": card.organisation, "prefix": card.prefix}
        yield from ((name, value) for name, value in parts.items() if value)
    yield "read", f"{reading.format}, {reading.stage}, attempt {reading.attempts}, {reading.milliseconds:.1f} ms"
    yield "verdict", _verdict(outcome)
    if outcome and outcome.name:
        yield "name", outcome.name
    if outcome and outcome.expires_at:
        yield "valid until", f"{outcome.expires_at.astimezone(CST):%Y-%m-%d %H:%M:%S} CST"


def _verdict(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not checked (see --check and --service)"
    if outcome.accepted:
        return "accepted"
    step = "" if outcome.step is None else f" at step {outcome.step}"
    return f"refused{step}: {outcome.reason}" + (f" ({outcome.detail})" if outcome.detail else "")


def _json(found: Scan) -> str:
    line: dict[str, Any] = {"file": found.name, "found": found.kind, "accepted": found.accepted}
    if found.kind is Kind.UNREADABLE:
        line["error"] = found.error
    else:
        line["message"] = found.sentence._asdict()
    if found.reading:
        line |= _reading_json(found.reading, found.reading.card)
        line["verdict"] = found.outcome
    line["others"] = [{"what": o.found, "format": o.format, "corners": o.corners} for o in found.others]
    return msgspec.json.encode(line).decode()


def _reading_json(reading: Reading, card: Payload | None) -> dict[str, Any]:
    return {
        "payload": reading.payload,
        "kind": _sort(reading)[0],
        "card_id": card and card.card_id,
        "token": card and card.token,
        "organisation": card and card.organisation,
        "prefix": card and card.prefix,
        "format": reading.format,
        "corners": reading.corners,
        "stage": reading.stage,
        "attempts": reading.attempts,
        "milliseconds": round(reading.milliseconds, 3),
    }
