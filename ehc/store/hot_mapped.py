"""The hot state of one host (ports.HotState): taken codes in mapped files, card states in a cache of this process.

A cached state is good while its counter stands still: every change of an account moves the counters of its card id and
its account, which all workers of the host share. What a worker that is killed between commit and counter leaves behind
is out of date for at most STALE_AFTER seconds.
"""

from __future__ import annotations

import asyncio
import mmap
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

from ehc.crypto.claims import REVOKED, Counters, KeptStatuses
from ehc.crypto.shortcut import HostCodes, Shortcut
from ehc.errors import Unavailable
from ehc.model import Answer, Card, CardStatus, Claim, Claimant, Question
from ehc.ports import AccountLookup, Answers, Clock, Questions
from ehc.store.card_status import Found, StatusReader, may_be_kept, read_statuses, usable_until
from ehc.store.place_names import PlaceNames
from ehc.store.taken_codes import TakenCodes, mapped

COUNTERS = 65_536
STALE_AFTER = 10


class MappedHotState:
    """folder: on a local disk of this host. remembered: cards whose state this process keeps."""

    def __init__(self, folder: Path, cards: AccountLookup, clock: Clock, remembered: int = 100_000) -> None:
        now = clock()
        self._issued = TakenCodes(folder, "issued", now)
        self._claimed = TakenCodes(folder, "claimed", now)
        self._claimed_at = TakenCodes(folder, "at", now)
        self._places = PlaceNames(folder / "places")
        self._kept = KeptStatuses(Counters(_counters(folder / "counters")), remembered)
        self._cards, self._clock = cards, clock
        self._reader = StatusReader(self._load)

    def ask(self, question: Question, now: int) -> Answer | Awaitable[Answer]:
        if question.must_be_issued and not self._was_issued(question):
            return Answer(False, None)
        card = self._kept.recall(question.card, now)
        return self._load_and_answer(question, now) if card is None else self._answer(question, card, now)

    def ask_many(self, asked: Questions) -> Answers | Awaitable[Answers]:
        now = self._clock()
        known = {card: self._kept.recall(card, now) for card in set(asked.cards)}
        if None in known.values():
            return self._load_and_answer_many(asked, known)
        return self._answer_many(asked, known)

    def claimant(self, question: Question) -> Claimant | None:
        code = (question.code, question.issued_at, question.until)
        holder = self._claimed.holder(*code)
        return None if holder is None else Claimant(self._places.name(holder), self._claimed_at.holder(*code))

    def status(self, card: str | int) -> CardStatus | Awaitable[CardStatus | None] | None:
        found = self._kept.recall(card, self._clock())
        return self._reader.status(card) if found is None else found

    def remember(self, card: str | int, code: bytes, issued_at: int, until: int) -> None:
        self._issued.forget(issued_at)
        self._issued.put(code, issued_at, until)

    def revoke(self, card: str | int, code: bytes, issued_at: int, until: int) -> None:
        self._claimed.put(code, issued_at, until, REVOKED)

    def once(self, what: bytes, since: int, until: int) -> bool:
        if since < self._claimed.opened_at:
            return False  # it may have been asked before the machine failed
        self._claimed.forget(self._clock())
        return self._claimed.claim(what, since, until, 0, 1) is Claim.WON

    def changing(self, card: Card) -> None:
        for key in (card.card_id, card.account, *(card.other or ())[:1]):
            self._kept.changed(key)

    def renew(self, turn: int) -> None:
        self._kept.renew(turn)
        for taken in (self._issued, self._claimed, self._claimed_at):
            taken.forget(self._clock())

    def shortcut(self, **more: Any) -> Shortcut:
        return Shortcut(self.codes(), **more)

    def codes(self) -> HostCodes:
        """The same state, for native shortcuts."""
        sets = (self._issued.sets, self._claimed.sets, self._claimed_at.sets)
        return HostCodes(self._kept, *sets, self._claimed.opened_at, self._places.remember)

    def ready(self) -> bool:
        return True  # its files were mapped when it was opened

    def close(self) -> None:
        """The files stay; the mappings go when nobody uses them any more."""
        self._kept.renew(-1)

    def _was_issued(self, question: Question) -> bool:
        return self._issued.holder(question.code, question.issued_at, question.until) is not None

    async def _load_and_answer(self, question: Question, now: int) -> Answer:
        card = await self._reader.status(question.card)
        return Answer(True, None) if card is None else self._answer(question, card, now)

    async def _load_and_answer_many(self, asked: Questions, known: dict[str | int, CardStatus | None]) -> Answers:
        missing = [card for card, status in known.items() if status is None]
        known.update(zip(missing, await asyncio.gather(*map(self._reader.status, missing)), strict=True))
        return self._answer_many(asked, known)

    def _answer_many(self, asked: Questions, known: dict[str | int, CardStatus | None]) -> Answers:
        issued = [not must or self._was_issued(asked.one(n)) for n, must in enumerate(asked.must_be_issued)]
        cards = [known[card] if ok else None for card, ok in zip(asked.cards, issued, strict=True)]
        claims, plain, opened_at = [_NONE] * len(cards), list[int](), self._claimed.opened_at
        columns = zip(cards, asked.codes, asked.issued_at, asked.uses, asked.times, strict=True)
        for n, (card, code, since, uses, at) in enumerate(columns):
            if card is None:
                continue
            if code and card.usable(at) and since >= card.codes_from and (since >= opened_at or not uses):
                plain.append(n)
            else:
                claims[n] = self._answer(asked.one(n), card, at).claim
        for n, claim in zip(plain, self._claim_many(asked, plain), strict=True):
            claims[n] = claim
        return Answers(issued, cards, claims)

    def _claim_many(self, asked: Questions, rows: list[int]) -> list[Claim]:
        """_claim of one row after the other."""
        now, holder = self._clock(), asked.holder
        self._claimed.forget(now)
        self._claimed_at.forget(now)
        if len(rows) < len(asked.codes):
            asked = asked.only(rows)
        found = self._claimed.claim_many(asked.codes, asked.issued_at, asked.until, asked.uses, holder)
        if _WON in found:
            self._places.remember(holder, asked.place)
        for n in (n for n, claim in enumerate(found) if claim is _WON):
            self._claimed_at.put(asked.codes[n], asked.issued_at[n], asked.until[n], asked.times[n])
        return found

    def _answer(self, question: Question, card: CardStatus, now: int) -> Answer:
        if not question.code or not card.usable(now):
            return Answer(True, card)
        if question.issued_at < card.codes_from:
            return Answer(True, card, Claim.REVOKED)
        return Answer(True, card, self._claim(question, now))

    def _claim(self, question: Question, now: int) -> Claim:
        _, code, issued_at, until, _, uses, holder, place = question
        claimed = self._claimed
        claimed.forget(now)
        self._claimed_at.forget(now)
        if not uses:
            return _REVOKED if claimed.revoked(code, issued_at, until) else _NONE
        if issued_at < claimed.opened_at:
            return Claim.LOST  # it may have been used before the machine failed
        claim = claimed.claim(code, issued_at, until, holder, uses)
        if claim is _WON:
            self._claimed_at.put(code, issued_at, until, now)
            self._places.remember(holder, place)
        return claim

    def _load(self, asked: Sequence[str | int]) -> list[Found]:
        """Counters first, then the store: a change in between makes what is kept useless."""
        (turn, counted), until = self._kept.before(asked), self._clock() + STALE_AFTER
        found = read_statuses(self._cards, asked)
        for card, before, status in zip(asked, counted, found, strict=True):
            if isinstance(status, CardStatus) and may_be_kept(card, status):
                self._kept.keep(card, status, turn, before, until, usable_until(status))
        return found


_WON, _NONE, _REVOKED = Claim.WON, Claim.NONE, Claim.REVOKED  # a look-up in the class costs as much as a claim


def _counters(path: Path) -> mmap.mmap:
    try:
        return mapped(path, 4 * COUNTERS)
    except OSError as error:
        raise Unavailable(f"the folder of used codes {path.parent} cannot be written: {error.strerror}") from error
