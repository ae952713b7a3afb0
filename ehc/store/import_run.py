"""One run of `ehc registry import`: a registry's export -> electronic cards and physical cards, block by block,
continued after a crash.

What was committed behind the journal's last place is done again, to the same end: registry/intake.py. While a block's
accounts are written the next one is read and derived. Over a database that takes many writers accounts are written in
two lanes, the cards of the block before in a third, and transactions are larger: the more keys of a table are sorted
together, the more of them go into one page of its index.
"""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

import ehc
from ehc.crypto import sm3
from ehc.errors import Conflict, FileError
from ehc.ports import Clock
from ehc.registry.card import CardEventKind, Ruling, Taking
from ehc.registry.intake import WITHOUT, Intake, Linked, Prepared
from ehc.registry.registry import Registry
from ehc.store.card_files import RejectsFile, place_rejects
from ehc.store.csv_lines import Refusal
from ehc.store.people_files import Encoding
from ehc.store.registry_files import CardBlock, CardReader, Missing, open_cards
from ehc.store.run_journal import Checkpoints, Journal, Progress

AHEAD = 3
"""Blocks in hand beside the one that is read."""

LANES = 2
"""That write accounts, where there may be many."""

MOST = 4 * Intake.most
"""Rows of a block there that are written together."""

BLOCK_BYTES = {True: 1 << 20, False: 5 << 19}
"""Read at a time, by RegistryStore.one_writer, unless a job says otherwise."""

BY = "ehc registry import"

_Done = tuple[Linked, Sequence[Ruling]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """What is to be done."""

    file: Path
    rejects: Path
    missing: Missing
    encoding: Encoding = Encoding.UTF_8
    block_bytes: int | None = None  # None: BLOCK_BYTES
    checkpoint: float = 0.5  # seconds between two; 0: after each block
    force: bool = False  # replace a rejects file that exists
    restart: bool = False  # throw an interrupted run's place away


class _Part(NamedTuple):
    """Rows of a block in hand, and their line numbers."""

    prepared: Prepared
    lines: Sequence[int]
    done: Future[_Done]


class _InHand(NamedTuple):
    block: CardBlock
    parts: Sequence[_Part]


class ImportRun:
    """A job on opened files, under lock. Iterate to do it, a Progress for each block that is committed.

    done: what an earlier, interrupted run did. size: of the input, in the unit of Progress.offset. tally: what came of
    rows in this run, by Ruling, and `electronic`, cards that were made.
    """

    def __init__(self, job: ImportJob, registry: Registry, clock: Clock, cards: CardReader, journal: Journal) -> None:
        self._job, self._registry, self._clock, self._cards, self._journal = job, registry, clock, cards, journal
        self.size = cards.size
        self.tally: Counter[str] = Counter()
        self.done = self._begin()

    def _begin(self) -> Progress:
        """Where to begin. Raises Conflict when that would destroy something."""
        if self._job.restart:
            self._journal.remove()
        found = self._journal.load()
        if not found and self._job.rejects.exists() and not self._job.force:
            raise Conflict(f"{self._job.rejects} exists: --force replaces it")
        return found or Progress(offset=self._cards.start.offset, line=self._cards.start.line)

    def __iter__(self) -> Iterator[Progress]:
        if not self.done.finishing:
            yield from self._work(self.done)
        place_rejects(self._job.rejects)
        self._journal.remove()

    def _work(self, progress: Progress) -> Iterator[Progress]:
        with contextlib.ExitStack() as held:
            rejects = RejectsFile(self._job.rejects, progress.rejects)
            held.callback(rejects.close)
            checkpoints = Checkpoints(self._job.checkpoint, partial(self._checkpoint, rejects))
            held.callback(checkpoints.close)
            for in_hand in held.enter_context(self._flow(progress)):
                block, refused = in_hand.block, self._refused(in_hand)
                rejects.write(refused)
                kept = sum(len(part.prepared.cards) for part in in_hand.parts)
                progress = msgspec.structs.replace(
                    progress,
                    offset=block.following.offset,
                    line=block.following.line,
                    rows=progress.rows + len(block.lines) + len(block.refused),
                    cards=progress.cards + kept,
                )
                if checkpoints.due():
                    progress = msgspec.structs.replace(progress, rejects=rejects.flush())
                    checkpoints.begin(progress)
                yield progress
            checkpoints.close()
            rejects.complete()
            self._registry.store.settle()
            self._journal.save(msgspec.structs.replace(progress, finishing=True))

    def _checkpoint(self, rejects: RejectsFile, progress: Progress) -> None:
        rejects.sync()
        self._registry.store.settle()
        self._journal.save(progress)

    @contextlib.contextmanager
    def _flow(self, progress: Progress) -> Iterator[Iterator[_InHand]]:
        """Blocks whose rows are committed, in order."""
        with contextlib.ExitStack() as held:
            if self._registry.store.one_writer:
                yield self._blocks(progress, Intake.most, partial(self._one_lane, held.enter_context(_lane("write"))))
                return
            linking = [held.enter_context(_lane(f"link-{lane}")) for lane in range(LANES)]
            keeping = held.enter_context(_lane("keep"))
            yield self._blocks(progress, MOST, partial(self._lanes, linking, keeping))

    def _blocks(self, progress: Progress, most: int, submit: Callable[[Prepared], Future[_Done]]) -> Iterator[_InHand]:
        ahead: deque[_InHand] = deque()
        position = self._cards.start._replace(offset=progress.offset, line=progress.line)
        for block in self._cards.blocks(position):
            parts = []
            for people, cards, lines in block.parts(most):
                prepared = self._registry.intake.prepare(people, cards)
                parts.append(_Part(prepared, lines.tolist(), submit(prepared)))
            ahead.append(_InHand(block, parts))
            if len(ahead) >= AHEAD:
                yield _waited(ahead.popleft())
        yield from map(_waited, ahead)

    def _taking(self) -> Taking:
        return Taking(self._clock(), CardEventKind.IMPORTED, BY)

    def _one_lane(self, lane: ThreadPoolExecutor, prepared: Prepared) -> Future[_Done]:
        return lane.submit(self._registry.intake.finish, prepared, self._taking())

    def _lanes(
        self, linking: Sequence[ThreadPoolExecutor], keeping: ThreadPoolExecutor, prepared: Prepared
    ) -> Future[_Done]:
        taking = self._taking()
        parts = [
            (places, lane.submit(self._link, prepared, places, taking))
            for lane, places in zip(linking, prepared.lanes(len(linking)), strict=True)
        ]
        return keeping.submit(self._keep, prepared, parts, taking)

    def _link(self, prepared: Prepared, places: NDArray[np.intp], taking: Taking) -> Linked:
        return self._registry.intake.link(prepared.of_places(places), taking.now, taking.by)

    def _keep(
        self, prepared: Prepared, parts: Sequence[tuple[NDArray[np.intp], Future[Linked]]], taking: Taking
    ) -> _Done:
        linked = Linked.joined(prepared, [(places, part.result()) for places, part in parts])
        return linked, self._registry.intake.keep(linked, taking)

    def _refused(self, in_hand: _InHand) -> list[Refusal]:
        """In the order of the lines."""
        titles, found = self._cards.titles, list(in_hand.block.refused)
        for prepared, lines, done in in_hand.parts:
            linked, rulings = done.result()
            self.tally.update({str(ruling): count for ruling, count in Counter(rulings).items()})
            self.tally["electronic"] += linked.created
            found += [Refusal(lines[row], titles.get(field, field), reason) for row, field, reason in prepared.refused]
            rows = prepared.rows
            found += [
                Refusal(lines[int(rows[place])], titles.get("name", "name"), WITHOUT) for place in linked.other_name
            ]
        return sorted(found)


@contextlib.contextmanager
def _lane(name: str) -> Iterator[ThreadPoolExecutor]:
    """One thread; what waits when something fails is not begun."""
    pool = ThreadPoolExecutor(1, f"ehc-{name}")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _waited(in_hand: _InHand) -> _InHand:
    """Raises what its work raised."""
    for part in in_hand.parts:
        part.done.result()
    return in_hand


@contextlib.contextmanager
def opened(job: ImportJob, registry: Registry, clock: Clock, key: str) -> Iterator[ImportRun]:
    """Open, check and lock the files of a job. key: what the electronic cards are made under, for the journal.

    Raises FileError, InputError, Conflict."""
    job.missing.check()
    if not job.rejects.parent.is_dir():
        raise FileError(f"{job.rejects}: there is no folder {job.rejects.parent}; make it first")
    with contextlib.ExitStack() as held:
        block_bytes = job.block_bytes or BLOCK_BYTES[registry.store.one_writer]
        cards = open_cards(job.file, job.encoding, job.missing, block_bytes)
        held.callback(cards.close)
        journal = Journal(job.rejects, _facts(job, registry, cards, key))
        held.enter_context(journal.locked())
        yield ImportRun(job, registry, clock, cards, journal)


def _facts(job: ImportJob, registry: Registry, cards: CardReader, key: str) -> dict[str, str]:
    """What must be the same when a run is continued, by names that a person understands."""
    found = job.file.stat()
    return {
        "input": str(job.file.absolute()),
        "input size": str(found.st_size),
        "input time": str(found.st_mtime_ns),
        "input content": sm3(cards.head()).hex(),
        "--encoding": job.encoding,
        "--issuer": str(job.missing.issuer),
        "--version": str(job.missing.version),
        "--source": job.missing.source,
        "database": registry.store.place,
        "security key": key,
        "version of ehc": ehc.__version__,
    }
