"""A day at a window in some minutes: `ehc reader soak`. Frames as fast as they are read, codes of all kinds, scanners,
a camera that is pulled out, pages that come and go; memory, file handles and threads have to stay what they were.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import segno

from ehc.errors import Unavailable
from ehc.reader.degrade import code_image, photograph
from ehc.reader.pipeline import Grey
from ehc.reader.readings import Stopped
from ehc.reader.scanning import Outcome
from ehc.reader.sources import Frame
from ehc.reader.typed import Assembler
from ehc.terminal.clock import TerminalClock
from ehc.terminal.events import Hub, Said
from ehc.terminal.picture import Pictures
from ehc.terminal.running import Setup, Terminal
from ehc.terminal.verdicts import Desk

SIZE = (1280, 720)
PLUGGED_SECONDS = 20.0
WARM_UP = 0.25
"""Part of the time after which nothing may grow any more: buffers are as large as they get by then."""
SLACK_MIB = 16.0
FRAMES_A_DAY = 24 * 3600 * 30
VISIT_FRAMES = (40, 240)
"""For how many frames an empty desk stays, and then what is held before the camera: a day's visits follow each other
without the minutes between them."""
REPEAT_SECONDS = 0.2
"""So that who comes again some visits later is a scan again, in a day of ten minutes."""
MOVES = 12
"""Frames after which a hand has moved."""


class Sample(NamedTuple):
    seconds: float
    frames: int  # that came
    dropped: int  # of these: a newer one came before they were looked at
    unchanged: int  # of the others: seen to be like one that held nothing, and not looked into
    read: int  # looked into, with a code
    nothing: int  # looked into, without: everything was tried, or the time was over
    verdicts: int
    mib: float  # resident memory
    files: int
    threads: int


class Shown(NamedTuple):
    """What a day's camera may see."""

    held: list[Grey]  # codes of all kinds, two cards at once
    desks: list[Grey]  # nothing


def pictures(seed: int) -> Shown:
    """Static and dynamic codes, codes of others, two cards at once; desks with a camera's noise."""
    dice = random.Random(seed)  # noqa: S311  what is shown, no secret; so too below
    cards = ["".join(dice.choices("0123456789ABCDEF", k=64)) for _ in range(16)]
    texts = [f"{card}:{dice.choice(['1', '0:' + card[:32]])}" for card in cards]
    texts += ["134567890123456789", "https://example.org/a", "6212345678901234567", "会诊单"]
    photos = [_photo(text, seed + number) for number, text in enumerate(texts)]
    quarter = SIZE[0] // 4  # a code lies in the middle
    both = np.hstack([_photo(text, seed)[:, quarter:-quarter] for text in texts[:2]])
    return Shown([*photos, both], [_desk(seed, number) for number in range(4)])


def _photo(text: str, seed: int) -> Grey:
    clean = code_image(segno.make(text, error="m", micro=False).matrix)
    return photograph(clean, seed=seed, size=SIZE)


def _desk(seed: int, number: int) -> Grey:
    """The same desk, with the noise of another moment."""
    steps = np.add.outer(np.linspace(90, 130, SIZE[1]), np.linspace(0, 30, SIZE[0]))
    return np.clip(steps + np.random.default_rng([seed, number]).normal(0, 3, steps.shape), 0, 255).astype(np.uint8)


class _Camera:
    """Frames without an end, faster than anybody reads; pulled out now and then."""

    def __init__(self, shown: Shown, seed: int) -> None:
        self._shown, self._dice = shown, random.Random(seed)  # noqa: S311

    @contextlib.contextmanager
    def __call__(self) -> Iterator[Iterable[Frame]]:
        yield self._stream()

    def _stream(self) -> Iterator[Frame]:
        end = time.monotonic() + PLUGGED_SECONDS
        for pixels in self._visits():
            if time.monotonic() > end:
                break
            yield Frame.of(pixels)
            time.sleep(0.0002)  # lets the other threads in
        raise Unavailable("the camera was unplugged")

    def _visits(self) -> Iterator[Grey]:
        """An empty desk for a while, then a code in a hand that moves."""
        while True:
            for _ in range(self._dice.randint(*VISIT_FRAMES)):
                yield self._dice.choice(self._shown.desks)
            held = self._dice.choice(self._shown.held)
            for number in range(self._dice.randint(*VISIT_FRAMES)):
                yield np.roll(held, 4 * (number // MOVES), axis=1)


def _check(payload: str) -> Outcome:
    """Every third code is unanswered, every other one refused."""
    number = int(payload[:8], 16) if payload[:8].isalnum() else 0
    if number % 3 == 0:
        raise Unavailable("the service does not answer")
    return Outcome(number % 2 == 0, "accepted" if number % 2 == 0 else "expired")


async def soak(seconds: float, seed: int, tell: Callable[[Sample], None]) -> list[Sample]:
    """A sample a fiftieth of the time."""
    hub = Hub()
    hub.open(asyncio.get_running_loop())
    camera = _Camera(pictures(seed), seed)
    setup = Setup(Desk(_check, None), TerminalClock(), source=camera, source_name="soak", repeat_seconds=REPEAT_SECONDS)
    terminal = Terminal(setup, hub)
    terminal.start()
    stop = threading.Event()
    dice = random.Random(seed)  # noqa: S311
    typing = threading.Thread(target=_type, args=(terminal, dice, stop), daemon=True)
    typing.start()
    counts = [0]
    pages = [asyncio.create_task(_page(hub, counts)) for _ in range(3)]
    samples: list[Sample] = []
    drawn, started = Pictures(), time.monotonic()
    while (gone := time.monotonic() - started) < seconds:
        await asyncio.sleep(seconds / 50)
        if (frame := terminal.picture()) is not None:
            drawn.draw(frame)
        samples.append(_sample(gone, terminal, counts[0]))
        tell(samples[-1])
    stop.set()
    for page in pages:
        page.cancel()
    hub.close()
    await asyncio.to_thread(terminal.stop)
    return samples


def _type(terminal: Terminal, dice: random.Random, stop: threading.Event) -> None:
    """A scanner beside the camera, with what goes wrong with scanners."""
    wedge = Assembler()
    while not stop.wait(0.05):
        card = "".join(dice.choices("0123456789ABCDEF", k=64))
        text = dice.choice([f"{card}:1\r", f"{card}1\r", f"{card}：1\r", card[:40] + "\r", "134567890123456789\r"])
        for scanned in wedge.feed(text, time.monotonic()):
            terminal.typed(scanned)


async def _page(hub: Hub, counts: list[int]) -> None:
    """Comes, listens for a while, goes, comes again."""
    while True:
        with hub.listening() as queue, contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while True:
                    counts[0] += isinstance(await queue.get(), Said)


def _sample(seconds: float, terminal: Terminal, verdicts: int) -> Sample:
    slot, looks = terminal.slot, terminal.looks
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    mib = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    files = len(os.listdir("/proc/self/fd"))
    frames = slot.frames, slot.dropped, looks[Stopped.UNCHANGED], looks[Stopped.READ]
    nothing = looks[Stopped.NOTHING] + looks[Stopped.BUDGET]
    return Sample(seconds, *frames, nothing, verdicts, mib, files, threading.active_count())


def grown(samples: list[Sample]) -> list[str]:
    """What is more at the end than after the warm-up; empty: nothing."""
    after = samples[int(len(samples) * WARM_UP) :]
    half = len(after) // 2
    early, late = after[:half], after[half:]
    found = []
    if max(one.mib for one in late) > max(one.mib for one in early) + SLACK_MIB:
        found.append(f"memory: {max(one.mib for one in early):.1f} MiB, then {max(one.mib for one in late):.1f}")
    for name in ("files", "threads"):
        first, last = (max(getattr(one, name) for one in part) for part in (early, late))
        if last > first:
            found.append(f"{name}: {first}, then {last}")
    return found
