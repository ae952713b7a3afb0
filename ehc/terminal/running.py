"""The terminal at work: threads that watch, read, judge and run errands, and what each tells.

source -> Slot -> Scanner --+
serial line -> Assembler ---+-> judged one after the other by the Desk -> events
page, hospital software ----+
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from ehc.client import Client
from ehc.codes.offline import OfflineList
from ehc.errors import EhcError, InputError, Unavailable
from ehc.reader.payloads import Found, Sentence, What, read_payload
from ehc.reader.pipeline import Reader
from ehc.reader.readings import Reading, Stopped
from ehc.reader.scanning import Duplicates, Kind, Scan, Scanner
from ehc.reader.serial_port import SerialPort
from ehc.reader.sources import Frame
from ehc.reader.typed import Assembler, Typed
from ehc.terminal.clock import TerminalClock
from ehc.terminal.events import Checking, Hub, Said, Seen, Status
from ehc.terminal.lists import KeptList
from ehc.terminal.slot import Slot
from ehc.terminal.uploads import Uploads
from ehc.terminal.verdicts import UNANSWERED, UNCHECKED, Answer, Desk, sentence_of
from ehc.terminal.watching import Source, Watch

BUDGET_MS = 60.0
TICK = 0.2
ASK_SECONDS, ASK_AWAY_SECONDS, STATUS_SECONDS, LIST_SECONDS = 30.0, 3.0, 5.0, 600.0
AGE_STEP = 60
"""Seconds of the list's age that are worth an event."""
FAULT_SECONDS = 1.0
MOST_JOBS = 64


@dataclass(frozen=True, slots=True)
class Setup:
    """source: None without a camera. client, uploads: None without a service, without network. lists: None where
    nothing is checked without network; take: who goes by a new list."""

    desk: Desk
    clock: TerminalClock
    scene: str = ""
    source: Source | None = None
    source_name: str = ""
    serial: str = ""
    serial_speed: int = 9600
    client: Client | None = None
    uploads: Uploads | None = None
    lists: KeptList | None = None
    take: Callable[[OfflineList], None] | None = None
    list_seconds: float = LIST_SECONDS
    repeat_seconds: float = 3.0
    budget_ms: float = BUDGET_MS


class _Job(NamedTuple):
    number: int
    payload: str
    by: str
    found: Found
    repairs: tuple[str, ...]
    beside: tuple[str, ...]


class Terminal:
    """start, then submit and status from any thread, then stop."""

    def __init__(self, setup: Setup, hub: Hub, log: Callable[[str], None] = lambda _: None) -> None:
        self._setup, self._hub, self._log = setup, hub, log
        self.slot = Slot()
        self.looks = Counter[Stopped]()
        """Why looking at a frame ended, of those that were not dropped."""
        self._frame: Frame | None = None
        self._jobs: queue.Queue[_Job | None] = queue.Queue(MOST_JOBS)
        self._numbers = itertools.count(1)
        self._duplicates = Duplicates(setup.repeat_seconds)
        self._entering = threading.Lock()  # of several sources, one scan at a time
        self._stop = threading.Event()
        self._state: tuple[Literal["none", "starting", "watching", "ended", "gone"], str] = (
            ("starting", "") if setup.source else ("none", "")
        )
        self._service: Literal["none", "unknown", "there", "away"] = "unknown" if setup.client else "none"
        self._list_at, self._list_said = 0.0, ""
        self._watch = Watch(setup.source, self.slot, self._source_told) if setup.source else None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        works = [("judge", self._judge), ("errands", self._errands)]
        if self._watch:
            works += [("watch", self._watch.run), ("read", self._read)]
        if self._setup.serial:
            works.append(("serial", self._serial))
        self._threads = [
            threading.Thread(target=self._kept_up, args=(work,), name=name, daemon=True) for name, work in works
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """A camera that hangs is not waited for."""
        self._stop.set()
        if self._watch:
            self._watch.stop()
        self._jobs.put(None)
        for thread in self._threads:
            thread.join(2.0)

    # --- what comes in

    def submit(self, payload: str, by: str, repairs: Sequence[str] = (), beside: Sequence[str] = ()) -> int | None:
        """The number of its verdict, which follows; None for a code that is being looked at already."""
        found = read_payload(payload)
        with self._entering:
            if self._duplicates.again(payload, time.monotonic()):
                return None
            number = next(self._numbers)
            if found.what is not What.HEALTH_CARD:
                self._say(number, by, found, "foreign")
                return number
            self._hub.tell(Checking(number))
        try:
            self._jobs.put_nowait(_Job(number, payload, by, found, tuple(repairs), tuple(beside)))
        except queue.Full:
            raise Unavailable("too many codes wait for their verdict") from None
        return number

    def typed(self, scanned: Typed, by: str = "scanner") -> None:
        """A code of a scanner that types; what is no health card is named."""
        if scanned.payload:
            self.submit(scanned.payload, by, [str(repair) for repair in scanned.repairs])
        elif len(scanned.raw) > 3 and not self._duplicates.again(scanned.raw, time.monotonic()):
            self._say(next(self._numbers), by, scanned.found, "foreign")

    def picture(self) -> Frame | None:
        """The frame that was looked at last."""
        return self._frame

    def status(self) -> Status:
        setup, (state, says) = self._setup, self._state
        waiting = setup.uploads.waiting if setup.uploads else 0
        counts = (self.slot.frames, self.slot.dropped)
        return Status(
            setup.source_name,
            state,
            says,
            self._service,
            setup.clock.alarm,
            waiting,
            *counts,
            setup.scene,
            *self._list(),
        )

    def _list(self) -> tuple[Literal["none", "missing", "held", "over"], int | None]:
        """What there is to go by without network, and its age in seconds."""
        if self._setup.lists is None:
            return "none", None
        held = self._setup.lists.held
        if held is None:
            return "missing", None
        now = self._setup.clock()
        return "over" if now > held.until + held.tolerance else "held", max(0, now - held.issued_at)

    # --- the threads

    def _kept_up(self, work: Callable[[], None]) -> None:
        """A fault of ours ends no thread for the rest of the day: it is logged, and the work begins anew."""
        while not self._stop.is_set():
            try:
                work()
                return
            except Exception as error:
                self._log(f"fault: {type(error).__name__} in {threading.current_thread().name}")
                self._stop.wait(FAULT_SECONDS)

    def _read(self) -> None:
        reader = Reader(budget_ms=self._setup.budget_ms)
        scanner = Scanner(reader)
        while not self._stop.is_set():
            frame = self.slot.take(TICK)
            if frame is None:
                continue
            self._frame = frame
            try:
                scan = scanner.frame(frame)
                self.looks[reader.stopped] += 1
                self._scanned(scan, frame)
            except EhcError as error:  # a source whose frames are none
                self._source_told("gone", str(error))
            except Exception as error:  # a fault of ours on one frame: the next one is due
                self._log(f"fault: {type(error).__name__}")

    def _scanned(self, scan: Scan, frame: Frame) -> None:
        if scan.kind is Kind.NOTHING:
            return
        taken = scan.reading or scan.others[0]
        self._hub.tell(Seen(_corners(taken, frame), "health_card" if scan.reading else "other"))
        beside = tuple(other.meaning.what for other in scan.others)
        if scan.reading:
            self.submit(scan.reading.payload, "camera", beside=beside)
            return
        key = "\n".join(sorted(other.payload for other in scan.others))
        with self._entering:
            if self._duplicates.again(key, time.monotonic()):
                return
        verdict: Literal["several", "foreign"] = "several" if scan.kind is Kind.SEVERAL else "foreign"
        self._say(next(self._numbers), "camera", Found(beside[0]), verdict, sentence=scan.sentence, beside=beside[1:])

    def _serial(self) -> None:
        while not self._stop.is_set():
            wedge = Assembler()
            try:
                with SerialPort(self._setup.serial, self._setup.serial_speed) as line:
                    for raw in line:
                        now = time.monotonic()
                        for scanned in [*wedge.feed(raw, now), *wedge.poll(now)]:
                            self.typed(scanned)
                        if self._stop.is_set():
                            return
            except EhcError as error:
                self._log(str(error))
                self._stop.wait(ASK_AWAY_SECONDS)

    def _judge(self) -> None:
        while job := self._jobs.get():
            answer = self._answer(job.payload) if self._setup.desk.checks else None
            if answer and self._setup.client and (answer.offline or answer.outcome is None):
                self._service_is("away", answer.why)
            self._hub.tell(_verdict(job, answer))

    def _answer(self, payload: str) -> Answer:
        """A fault of ours is no acceptance, nor the end of this window's day."""
        try:
            return self._setup.desk(payload)
        except Exception as error:
            self._log(f"fault: {type(error).__name__}")
            return Answer(None, why=type(error).__name__)

    def _errands(self) -> None:
        """Asks the service for the time, sends what waits, says how things stand."""
        ask_at = say_at = 0.0
        before: Status | None = None
        while not self._stop.wait(TICK):
            now = time.monotonic()
            if self._setup.client and now >= ask_at:
                self._ask(self._setup.client)
                ask_at = now + (ASK_SECONDS if self._service == "there" else ASK_AWAY_SECONDS)
            status = self.status()
            same = before is not None and _without_counts(before) == _without_counts(status)
            if not same or now >= say_at:
                self._hub.tell(status)
                before, say_at = status, now + STATUS_SECONDS

    def _ask(self, client: Client) -> None:
        try:
            self._setup.clock.ask(client)
            self._service_is("there", "")
            self._fetch_list(client)
            if self._setup.uploads and self._setup.uploads.waiting:
                self._setup.uploads.send(client)
        except EhcError as error:
            self._service_is("away" if isinstance(error, Unavailable) else self._service, str(error))

    def _fetch_list(self, client: Client) -> None:
        """When it is time. One that is refused leaves the one before in use, and is said once. Raises Unavailable."""
        lists, take, now = self._setup.lists, self._setup.take, time.monotonic()
        if lists is None or take is None or now < self._list_at:
            return
        said = ""
        try:
            take(lists.refresh(client))
        except Unavailable:
            raise
        except EhcError as error:
            said = str(error)
        self._list_at = now + self._setup.list_seconds
        if said and said != self._list_said:
            self._log(f"offline list: {said}")
        self._list_said = said

    # --- what is told

    def _service_is(self, state: Literal["none", "unknown", "there", "away"], why: str) -> None:
        if state != self._service or (why and not isinstance(why, InputError)):
            self._log(f"service: {state}{': ' if why else ''}{why}")
        self._service = state

    def _source_told(self, state: str, says: str) -> None:
        known: dict[str, Literal["watching", "ended", "gone"]] = {"watching": "watching", "ended": "ended"}
        before, self._state = self._state, (known.get(state, "gone"), says)
        if self._state != before:
            self._log(f"source: {state}{': ' if says else ''}{says}")
            self._hub.tell(self.status())

    def _say(
        self,
        number: int,
        by: str,
        found: Found,
        verdict: Literal["foreign", "several"],
        *,
        sentence: Sentence | None = None,
        beside: Sequence[str] = (),
    ) -> None:
        zh, en = sentence or found.sentence
        self._hub.tell(Said(number, verdict, by, found.what, zh, en, beside=tuple(beside)))


def _verdict(job: _Job, answer: Answer | None) -> Said:
    said = Said(
        job.number,
        "read",
        job.by,
        What.HEALTH_CARD,
        *UNCHECKED,
        payload=job.payload,
        repairs=job.repairs,
        beside=job.beside,
    )
    if answer is None:
        return said
    outcome = answer.outcome
    if outcome is None:
        zh, en = UNANSWERED
        return msgspec.structs.replace(said, verdict="unanswered", zh=zh, en=en, reason=answer.why)
    zh, en = sentence_of(outcome)
    return msgspec.structs.replace(
        said,
        verdict="accepted" if outcome.accepted else "refused",
        zh=zh,
        en=en,
        reason=outcome.reason,
        step=outcome.step,
        name=outcome.name,
        expires_at=outcome.expires_at,
        offline=answer.offline,
    )


def _without_counts(status: Status) -> Status:
    age = None if status.list_age is None else status.list_age // AGE_STEP
    return msgspec.structs.replace(status, frames=0, dropped=0, list_age=age)


def _corners(reading: Reading, frame: Frame) -> list[tuple[float, float]]:
    width, height = size_of(frame)
    return [(round(x / width, 4), round(y / height, 4)) for x, y in reading.corners]


def size_of(frame: Frame) -> tuple[int, int]:
    if frame.width:
        return frame.width, frame.height
    shape = np.shape(frame.pixels)
    return (shape[1], shape[0]) if len(shape) > 1 else (1, 1)
