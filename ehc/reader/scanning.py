"""From a frame to what a clerk wants to know: which code was shown, and is it accepted.

frame -> Reader -> exactly one health card? -> check (keyring, service or none) -> Scan
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import httpx
import msgspec

from ehc.crypto import Window, sm3
from ehc.errors import ConfigError, FileError, InputError, Unavailable
from ehc.ports import Clock, KeyService
from ehc.reader.payloads import SENTENCES, Sentence, What, identity_of
from ehc.reader.pipeline import Reader
from ehc.reader.readings import Reading
from ehc.reader.sources import Frame, read_image

TIMEOUT_SECONDS = 5.0
"""What a service has to answer; a queue of people waits behind a clerk."""


class Kind(enum.StrEnum):
    """What a frame turned out to be."""

    HEALTH_CARD = "health_card"
    SEVERAL = "several"  # health cards of more than one account: nobody can tell which was meant
    FOREIGN = "foreign"  # codes, but no health card
    NOTHING = "nothing"  # no code
    UNREADABLE = "unreadable"  # no picture


class Outcome(msgspec.Struct, frozen=True):
    """What a check said. `expires_at` and `name` (masked) are None unless the check knows them."""

    accepted: bool
    reason: str
    step: int | None = None  # 1 to 8, the step that refused; 0 accepted; None when the service does not say
    detail: str | None = None
    expires_at: datetime | None = None
    name: str | None = None


Check = Callable[[str], Outcome]
"""Payload text -> outcome. A refusal is a value; Unavailable is raised when there is no answer."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What one frame or file held. reading is the health card that was taken; others are all other codes seen."""

    name: str
    kind: Kind
    reading: Reading | None = None
    others: tuple[Reading, ...] = ()
    outcome: Outcome | None = None  # None: not checked
    error: str = ""  # Kind.UNREADABLE only

    @property
    def accepted(self) -> bool:
        """A health card, and not refused by the check there was."""
        return self.kind is Kind.HEALTH_CARD and (self.outcome is None or self.outcome.accepted)

    @property
    def sentence(self) -> Sentence:
        """What the clerk is told of what was shown, before any verdict."""
        if self.kind is Kind.FOREIGN:
            return self.others[0].meaning.sentence
        return _SENTENCES[self.kind]


_SENTENCES = {
    Kind.HEALTH_CARD: SENTENCES[What.HEALTH_CARD],
    Kind.SEVERAL: Sentence(
        "画面中有不止一个人的健康卡，请一次只出示一个。",
        "Health cards of more than one person: show one at a time.",
    ),
    Kind.NOTHING: Sentence("未见二维码，请靠近、放平、避开反光。", "No code: nearer, flatter, without a reflection."),
    Kind.UNREADABLE: Sentence("图像无法读取。", "The picture cannot be read."),
}


class Duplicates:
    """A code that stays before the camera, or that a scanner sends twice, is one scan. Holds digests of what was seen
    within the time, no codes."""

    def __init__(self, seconds: float = 3.0) -> None:
        self._seconds, self._seen = seconds, dict[bytes, float]()

    def again(self, payload: str, now: float) -> bool:
        """Whether it was seen within the time before; seen now, the time begins anew. now: of a clock without steps."""
        self._seen = {one: at for one, at in self._seen.items() if now - at <= self._seconds}
        name = sm3(payload.rstrip("\r\n\t").upper().encode("utf-8", "surrogatepass"))
        known = name in self._seen
        self._seen[name] = now
        return known


class Scanner:
    """Scans frames or files one after the other. Without a check, a code that parses is as far as it goes."""

    def __init__(self, reader: Reader, check: Check | None = None) -> None:
        self._reader, self._check = reader, check

    def frame(self, frame: Frame) -> Scan:
        """Raises InputError for pixels that do not fit their format; Unavailable from the check."""
        readings = self._reader.read(frame)
        cards = [reading for reading in readings if reading.health_card]
        if len({identity_of(reading.payload, reading.meaning) for reading in cards}) > 1:
            return Scan(frame.name, Kind.SEVERAL, others=tuple(readings))
        if not cards:
            return Scan(frame.name, Kind.FOREIGN if readings else Kind.NOTHING, others=tuple(readings))
        taken = cards[0]  # the dynamic one, if the card shows both of its codes
        others = tuple(reading for reading in readings if reading is not taken)
        return Scan(frame.name, Kind.HEALTH_CARD, taken, others, self._check(taken.payload) if self._check else None)

    def file(self, source: Path | BinaryIO, name: str | None = None) -> Scan:
        """As `frame`, for an image file; one that cannot be read is Kind.UNREADABLE with its reason."""
        try:
            frame = read_image(source, name)
        except FileError as error:
            return Scan(name or str(source), Kind.UNREADABLE, error=str(error))
        return self.frame(frame)


@dataclass(frozen=True, slots=True)
class KeyringCheck:
    """Steps 1 to 5 with the keys of this machine: authentic, and in time. Static codes have nothing to check here."""

    keys: KeyService
    clock: Clock
    window: Window = field(default_factory=Window)

    def __call__(self, payload: str) -> Outcome:
        verdict = self.keys.check_token(payload.encode("utf-8", "surrogatepass"), self.clock(), self.window)
        return Outcome(verdict.accepted, verdict.reason.value, verdict.step, verdict.detail or None, verdict.expires_at)


def _is_web_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host)


class _Problem(msgspec.Struct):
    """RFC 9457, what we show of it."""

    title: str = ""
    detail: str = ""


class ServiceCheck:
    """All eight steps, by a service's POST /v1/verify. An acceptance in a scene of single use (收费) uses the code up.

    scene: 诊疗环节, six digits; terminal: a name of this place for the service's log.
    """

    def __init__(self, url: str, scene: str, terminal: str | None = None) -> None:
        if not _is_web_address(url):
            raise ConfigError("service: the URL must be http:// or https:// and a host")
        self._where = {"scene": scene} | ({"terminal": terminal} if terminal else {})
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        self._client.close()

    def __call__(self, payload: str) -> Outcome:
        try:
            answer = self._client.post("/v1/verify", json={"payload": payload, **self._where})
        except httpx.HTTPError as error:
            host = self._client.base_url.host
            raise Unavailable(f"service {host}: no answer ({type(error).__name__}: {error})") from error
        return self._outcome(answer)

    def _outcome(self, answer: httpx.Response) -> Outcome:
        host = self._client.base_url.host
        try:
            if answer.status_code == httpx.codes.OK:
                return msgspec.json.decode(answer.content, type=Outcome)
            problem = msgspec.json.decode(answer.content, type=_Problem)
        except msgspec.DecodeError as error:
            raise Unavailable(f"service {host}: HTTP {answer.status_code}, not the answer of /v1/verify") from error
        said = f"service {host}: HTTP {answer.status_code}: {problem.detail or problem.title}"
        raise InputError(said) if answer.is_client_error else Unavailable(said)
