"""The hot state in Redis or Redis Cluster (ports.HotState), for several hosts: one script call a question.

Of a card that is shown again Redis tells this process every change (CLIENT TRACKING, Redis 7), on the connection that
its codes are claimed on, so before those answers: such a code is claimed by one SET. All keys of a card share a hash
tag, so that a question touches one slot of a cluster. A status is read through from the account store; while an account
changes a mark keeps old readings out. Redis is the authority for claims: run it with `appendonly yes` and
`appendfsync always`, or a failure of its machine may forget the last second.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any

from ehc.crypto.shortcut import RedisQuestions, RedisShortcut, WatchedCards
from ehc.errors import Unavailable
from ehc.model import AccountState, Answer, Card, CardKind, CardStatus, Claim, Claimant, Question
from ehc.ports import AccountLookup, Answers, Clock, Questions
from ehc.store.card_status import StatusReader, may_be_kept, read_statuses, usable_until
from ehc.store.redis_line import packed
from ehc.store.redis_nodes import RedisNodes

STATUS_SECONDS = 300
CHANGING_SECONDS = 10  # longer than a reading of the account store may take
KEEP_AFTER = 3600  # seconds, for clocks that are set back

_CLAIMS = tuple(sorted(Claim))  # a claim at its own number

SCRIPT = files("ehc.store").joinpath("hot_claims.lua").read_bytes()
SHA = hashlib.sha1(SCRIPT, usedforsecurity=False).hexdigest().encode()  # Redis names scripts so


class RedisHotState:
    """url: redis://[:password@]host:port/db, rediss:// with TLS, redis+cluster://host:port,host:port. keep_after:
    seconds past its end that a code is remembered."""

    def __init__(self, url: str, cards: AccountLookup, clock: Clock, keep_after: int = KEEP_AFTER) -> None:
        self._watched, self._questions = WatchedCards(STATUS_SECONDS), RedisQuestions(SHA, keep_after)
        self._nodes = RedisNodes(url, SCRIPT, self._watched.forget)
        self._reader = StatusReader(partial(read_statuses, cards))
        self._clock, self._keep_after, self.turn = clock, keep_after, 0

    def ask(self, question: Question, now: int) -> Awaitable[Answer]:
        return self._ask(question, now)

    async def ask_many(self, asked: Questions) -> Answers:
        """All leave in one write a server: what is asked in one turn of the event loop does."""
        found = await asyncio.gather(*(self._ask(asked.one(n), at) for n, at in enumerate(asked.times)))
        return Answers([one.issued for one in found], [one.card for one in found], [one.claim for one in found])

    def claimant(self, question: Question) -> Awaitable[Claimant | None]:
        return self._claimant(question)

    def status(self, card: str | int) -> Awaitable[CardStatus | None]:
        return self._status(card)

    def remember(self, card: str | int, code: bytes, issued_at: int, until: int) -> Awaitable[None]:
        tag = _tag(card)
        return self._set(tag, _key(tag, b"i", code), b"1", until)

    def revoke(self, card: str | int, code: bytes, issued_at: int, until: int) -> Awaitable[None]:
        tag = _tag(card)
        return self._set(tag, _key(tag, b"t", code), b"revoked 0", until)

    def once(self, what: bytes, since: int, until: int) -> Awaitable[bool]:
        return self._once(what, until)

    def changing(self, card: Card) -> None:
        for tag in map(_tag, (card.card_id, card.account, *(card.other or ())[:1])):
            self._nodes.blocking(("SET", _key(tag, b"x"), b"1", "EX", CHANGING_SECONDS), ("DEL", _key(tag, b"s")))

    def renew(self, turn: int) -> None:
        self.turn = turn

    def shortcut(self, **more: Any) -> RedisShortWay:
        native = RedisShortcut(self._questions, self._watched, tag=_tag, read=_read, **more)
        return RedisShortWay(self, self._nodes, native)

    def ready(self) -> bool:
        self._nodes.blocking(("PING",))
        return True

    def close(self) -> None:
        self._nodes.close()

    async def _ask(self, question: Question, now: int) -> Answer:
        tag, turn = _tag(question.card), self.turn
        issued, status, claim = _told(await self._nodes.call(tag, self._command(tag, question, now, turn, None)))
        if issued and not status:
            found = await self._reader.status(question.card)
            if found is None:
                return Answer(True, None)
            issued, status, claim = _told(await self._nodes.call(tag, self._command(tag, question, now, turn, found)))
        return Answer(bool(issued), _status(status) if status else None, _CLAIMS[claim])

    async def _claimant(self, question: Question) -> Claimant | None:
        tag = _tag(question.card)
        found = await self._nodes.call(tag, packed("GET", _key(tag, b"t", question.code)))
        if not found:
            return None
        _, _, at, place = (found.decode() + "   ").split(" ", 3)
        return Claimant(place.strip(), int(at) if at else None)

    async def _status(self, card: str | int) -> CardStatus | None:
        return (await self._ask(Question(card), self._clock())).card

    def _command(self, tag: bytes, question: Question, now: int, turn: int, status: CardStatus | None) -> bytes:
        text = b"" if status is None else _text(status, turn)
        return self._questions.pack(tag, *question[1:], now, turn, text, _keep(question.card, status))

    async def _once(self, what: bytes, until: int) -> bool:
        tag = hashlib.sha256(what).hexdigest().encode()
        keep = self._seconds(until, self._clock())
        answer = await self._nodes.call(tag, packed("SET", _key(tag, b"o"), b"1", "NX", "EX", keep))
        return bool(answer == b"OK")

    async def _set(self, tag: bytes, key: bytes, value: bytes, until: int) -> None:
        await self._nodes.call(tag, packed("SET", key, value, "EX", self._seconds(until, self._clock())))

    def _seconds(self, until: int, now: int) -> int:
        """How long a code is remembered; by our clock, since Redis's own may differ."""
        return max(0, until - now) + self._keep_after


class RedisShortWay:
    """ports.ShortWay by one question and no object of its own for plan, card or verdict."""

    def __init__(self, hot: RedisHotState, nodes: RedisNodes, native: RedisShortcut) -> None:
        self._hot, self._nodes, self._native = hot, nodes, native
        self.learn, self.unlearn = native.learn, native.unlearn

    def verify(
        self, body: bytes, institution: str | None, now: int, fast: int | None
    ) -> asyncio.Future[bytes | None] | None:
        one = self._native.ask(body, institution, now, fast, self._hot.turn, self._nodes.watches)
        line = None if one is None else self._nodes.line(one.tag)
        return None if one is None or line is None else line.ask(one)


def _tag(card: str | int) -> bytes:
    return b"a%d" % card if isinstance(card, int) else card.encode()


def _key(tag: bytes, kind: bytes, code: bytes = b"") -> bytes:
    return b"ehc:{%b}:%b:%b" % (tag, kind, code)


def _keep(card: str | int, status: CardStatus | None) -> int:
    return STATUS_SECONDS if status is not None and may_be_kept(card, status) else 0


def _text(status: CardStatus, turn: int) -> bytes:
    """turn: of renew, when it was read."""
    account, card_id, state, name, kind, deadline, codes_from, other = status
    return f"{state:d} {deadline or 0} {codes_from} {turn} {account} {kind:d} {card_id} {other or '-'} {name}".encode()


def _told(answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise Unavailable(f"Redis gives no answer to a question, but {type(answer).__name__}")
    return answer


def _read(text: bytes) -> tuple[CardStatus, int, int]:
    """And of which turn it is."""
    status = _status(text)
    return status, usable_until(status), int(text.split(b" ", 4)[3])


@lru_cache(65_536)  # the text of a card that is shown often is read once
def _status(text: bytes) -> CardStatus:
    state, deadline, codes_from, _, account, kind, card_id, other, name = text.decode().split(" ", 8)
    return CardStatus(
        int(account),
        card_id,
        AccountState(int(state)),
        name,
        CardKind(int(kind)),
        int(deadline) or None,
        int(codes_from),
        other.removeprefix("-"),
    )
