"""ehc demo: the main job once through, on embedded defaults, with the time that every step of this run took."""

from __future__ import annotations

import csv
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
import numpy as np
import typer
from PIL import Image

from ehc.cards.invented import people as invented_people
from ehc.cli.serve import start_service
from ehc.codes.draw import png
from ehc.config import Settings
from ehc.crypto import tier
from ehc.errors import EhcError, InputError
from ehc.reader.degrade import Conditions, photograph
from ehc.reader.pipeline import Reader
from ehc.reader.sources import read_image

SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
"""The specification's own sample person."""
OTHER = {"id_type": "03", "id_number": "E00000000", "name": "TEST PERSON"}
REGISTRATION, PAYMENT = "010101", "010105"  # 挂号, 收费


class DemoFailed(EhcError):
    """A step did not do what it should."""


@dataclass
class Demo:
    """What the steps hand on to each other."""

    home: Path
    people: int
    processes: list[subprocess.Popen[str]] = field(default_factory=list)  # services
    url: str = ""  # of the one that is asked
    cards: dict[str, str] = field(default_factory=dict)  # name -> card id
    static: str = ""
    dynamic: str = ""

    def command(self, *arguments: str) -> str:
        """Run `ehc` as its user would; what it printed."""
        environment = {name: value for name, value in os.environ.items() if name == "EHC_ISA" or name[:4] != "EHC_"}
        command = [sys.executable, "-P", "-m", "ehc.cli", *arguments]
        done = subprocess.run(command, env=environment, cwd=self.home, capture_output=True, text=True, check=False)
        _expect(done.returncode == 0, f"ehc {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(f"{self.url}{path}", json=body, timeout=30)
        _expect(answer.is_success, f"POST {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def verdict(self, payload: str, scene: str) -> tuple[bool, str]:
        found = self.post("/v1/verify", {"payload": payload, "scene": scene, "terminal": "demo-1"})
        return found["accepted"], found["reason"] if found[
            "step"
        ] is None else f"{found['reason']}, step {found['step']}"

    def refused(self, payload: str, scene: str, reason: str) -> str:
        accepted, why = self.verdict(payload, scene)
        _expect(not accepted and why.startswith(reason), f"expected a refusal ({reason}), got {why}")
        return f"refused: {why}"

    def start(self, **changes: Any) -> str:
        process, url = start_service(Settings(home=str(self.home), explain_refusals=True, **changes))
        self.processes.append(process)
        return url

    def kill(self) -> None:
        """All services, as a power cut would."""
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        self.processes.clear()


def _expect(true: bool, otherwise: str) -> None:
    if not true:
        raise DemoFailed(f"the demo failed: {otherwise}")


def make_keyring(demo: Demo) -> str:
    demo.command("keys", "init", "--keyring", "keyring")
    return "ehc keys init: a security_key and a protection_key, sealed"


def issue_cards(demo: Demo) -> str:
    with (demo.home / "people.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id_type", "id_number", "name"))
        rows.writerows(invented_people(demo.people - 2))
        rows.writerow(("01", "110100201712250061", "校验错误"))  # wrong check character
        rows.writerow(("03", "E" * 31, "TOO LONG"))
    demo.command("derive", "people.csv", "-o", "cards.csv", "--keyring", "keyring")
    with (demo.home / "cards.csv.rejects.csv").open(encoding="utf-8", newline="") as file:
        rejects = list(csv.DictReader(file))
    with (demo.home / "cards.csv").open(encoding="utf-8", newline="") as file:
        cards = sum(1 for _ in csv.DictReader(file))
    _expect((cards, len(rejects)) == (demo.people - 2, 2), f"{cards} cards, {len(rejects)} rejects")
    first = "line {line}, {column}: {reason}".format_map(rejects[0])
    return f"{cards:,} cards; 2 bad rows put aside ({first})"


def serve(demo: Demo) -> str:
    demo.url = demo.start()
    return f"Starlette on Granian, SQLite: {demo.url}"


def register(demo: Demo) -> str:
    for person in (SAMPLE, OTHER):
        demo.cards[person["name"]] = demo.post("/v1/cards", person)["card_id"]
    again = demo.post("/v1/cards", SAMPLE)
    _expect(again["card_id"] == demo.cards[SAMPLE["name"]] and not again["created"], "registered twice, two cards")
    return f"POST /v1/cards: {again['name']} has card {again['card_id'][:8]}…; registering again gives the same card"


def request_codes(demo: Demo) -> str:
    card_id = demo.cards[SAMPLE["name"]]
    demo.static = demo.post("/v1/codes", {"card_id": card_id, "kind": "static"})["payload"]
    code = demo.post("/v1/codes", {"card_id": card_id, "kind": "dynamic"})
    demo.dynamic = code["payload"]
    return f"POST /v1/codes: static, {len(demo.static)} characters; dynamic, {len(demo.dynamic)}, {code['expires_at']}"


def draw(demo: Demo) -> str:
    (demo.home / "code.png").write_bytes(png(demo.dynamic))
    return "the dynamic code as code.png"


def degrade(demo: Demo) -> str:
    with Image.open(BytesIO((demo.home / "code.png").read_bytes())) as image:
        photo = photograph(np.asarray(image.convert("L")), seed=7)
    Image.fromarray(photo).save(demo.home / "photo.png")
    seen = Conditions()
    return (
        f"photo.png: tilted {seen.tilt:g}°, turned, blurred ({seen.blur:g} modules), noise {seen.noise:g} levels, "
        "uneven light, JPEG"
    )


def read(demo: Demo) -> str:
    frame = read_image(demo.home / "photo.png")
    readings = Reader().read(frame)
    _expect(len(readings) > 0 and readings[0].payload == demo.dynamic, "the photograph was not read")
    return f"zxing-cpp behind the frame pipeline, attempt {readings[0].attempts} ({readings[0].stage})"


def verify(demo: Demo) -> str:
    for payload, scene in ((demo.static, REGISTRATION), (demo.dynamic, REGISTRATION), (demo.dynamic, PAYMENT)):
        accepted, why = demo.verdict(payload, scene)
        _expect(accepted, f"expected to be accepted, got {why}")
    return "POST /v1/verify: static at registration, dynamic at registration and at payment: accepted"


def second_use(demo: Demo) -> str:
    return demo.refused(demo.dynamic, PAYMENT, "replayed")


def forged(demo: Demo) -> str:
    return demo.refused(demo.dynamic[:-1] + ("0" if demo.dynamic[-1] != "0" else "1"), REGISTRATION, "forged")


def moved(demo: Demo) -> str:
    token = demo.dynamic.rpartition(":")[2]
    return demo.refused(f"{demo.cards[OTHER['name']]}:0:{token}", REGISTRATION, "not_issued")


def static_payment(demo: Demo) -> str:
    return demo.refused(demo.static, PAYMENT, "scene")


def killed(demo: Demo) -> str:
    demo.kill()
    demo.url = demo.start()
    return "kill -9, started again; the used code is " + demo.refused(demo.dynamic, PAYMENT, "replayed")


def expired(demo: Demo) -> str:
    demo.url = demo.start(validity_seconds=1, refresh_seconds=1, tolerance_seconds=0)
    code = demo.post("/v1/codes", {"card_id": demo.cards[SAMPLE["name"]], "kind": "dynamic"})
    time.sleep(2.1)
    refused = demo.refused(code["payload"], REGISTRATION, "expired")
    return f"{refused} (a second service on the same database gives codes of 1 second; 2.1 s of waiting)"


STEPS: tuple[tuple[str, Callable[[Demo], str]], ...] = (
    ("a keyring", make_keyring),
    ("cards for a file of people", issue_cards),
    ("the service", serve),
    ("two persons register", register),
    ("codes", request_codes),
    ("a QR code drawn", draw),
    ("photographed badly", degrade),
    ("read back", read),
    ("verified", verify),
    ("used a second time for payment", second_use),
    ("forged: one digit changed", forged),
    ("its token behind another card", moved),
    ("a static code for payment", static_payment),
    ("after a crash of the service", killed),
    ("a code that has expired", expired),
)


def run(home: Path, people: int) -> None:
    """Every step in its order, a line each; whatever was started is stopped again. Raises DemoFailed."""
    demo = Demo(home.resolve(), people)
    begin = time.perf_counter()
    typer.echo(f"ehc demo: Python {platform.python_version()}, tier {tier()}, {os.cpu_count()} processors, {home}\n")
    try:
        for title, step in STEPS:
            started = time.perf_counter()
            result = step(demo)
            typer.echo(f"{1000 * (time.perf_counter() - started):9,.1f} ms  {title:<31} {result}")
    finally:
        demo.kill()
    typer.echo(f"\nAll {len(STEPS)} steps as they should be, in {time.perf_counter() - begin:.1f} s.")


def demo(
    people: Annotated[int, typer.Option(help="How many rows the file of people has.", min=10)] = 100_000,
    keep: Annotated[
        Path | None, typer.Option(help="Folder for all that the demo makes. [default: a temporary one, removed]")
    ] = None,
) -> None:
    """Run the main job once: keyring, cards, service, codes, QR, photograph, reading, verification, refusals.

    Everything is real: the service is a process of its own on a loopback port,
    the keyring and the database are files. Nothing outside the folder is touched.

    \b
    Examples:
      ehc demo
      ehc demo --keep demo      look at code.png, photo.png, cards.csv afterwards
    """
    if keep:
        if keep.exists() and any(keep.iterdir()):
            raise InputError(f"{keep} is not empty: name a new folder")
        keep.mkdir(parents=True, exist_ok=True)
        run(keep, people)
        return
    with TemporaryDirectory(prefix="ehc-demo-") as folder:
        run(Path(folder), people)
