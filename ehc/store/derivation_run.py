"""One run of `ehc derive`: people file -> cards file and rejects file, block by block, continued after a crash."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

import ehc
from ehc.cards.issuing import FIELDS, Issued, issue
from ehc.crypto import sm3
from ehc.crypto.batch import Padding
from ehc.errors import Conflict, FileError
from ehc.ports import KeyService
from ehc.store.card_files import CardFile, Cards, RejectLines, Rejects, RejectsFile, card_schema, open_cards, place
from ehc.store.csv_lines import Refusal
from ehc.store.people_files import (
    STANDARD_STREAM,
    Block,
    Encoding,
    Format,
    PeopleFile,
    Position,
    format_of,
    open_people,
)
from ehc.store.run_journal import Checkpoints, Journal, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done. A path "-" is a standard stream. Only a run from a file to a CSV file can be continued."""

    people: Path
    output: Path
    rejects: Path | None  # None: lines on standard error
    keep: tuple[str, ...] = ()
    mindex: bool = True
    padding: Padding = "full"
    encoding: Encoding = Encoding.UTF_8
    stream_format: Format = Format.CSV
    block_bytes: int = 1 << 21
    checkpoint: float = 0.5  # seconds between two; 0: after each block
    force: bool = False  # replace files that exist
    restart: bool = False  # throw an interrupted run away

    @property
    def over_files(self) -> bool:
        return STANDARD_STREAM not in (self.people, self.output) and self.people.is_file()

    @property
    def way_on(self) -> str:
        """What becomes of a run that was stopped, for a person to read."""
        if not self.over_files:
            return "a run over standard streams begins anew"
        goes_on = format_of(self.output, self.stream_format) is Format.CSV
        return "the same command continues" if goes_on else "the same command begins the Parquet file anew"


class DerivationRun:
    """A job on opened files, under lock. Iterate to do it, a Progress for each block; it is durable at the checkpoints.

    done: what an earlier, interrupted run did. size: of the input, in the unit of Progress.offset, if known.
    """

    def __init__(self, job: Job, keys: KeyService, people: PeopleFile, journal: Journal | None) -> None:
        self._job, self._keys, self._people, self._journal = job, keys, people, journal
        self.size = people.size
        self.done = self._begin()

    def _begin(self) -> Progress:
        """Where to begin. Raises Conflict when that would destroy something."""
        if self._journal and self._job.restart:
            self._journal.remove()
        found = self._journal.load() if self._journal else None
        if found and found.finishing:
            return found
        for path in (self._job.output, self._job.rejects):
            if path and path != STANDARD_STREAM and path.exists():
                _refuse_to_replace(path, self._job)
        return found or Progress(offset=self._people.start.offset, line=self._people.start.line)

    def __iter__(self) -> Iterator[Progress]:
        if not self.done.finishing:
            yield from self._work(self.done)
        if self._job.output != STANDARD_STREAM:
            place(self._job.output, self._job.rejects)
        if self._journal:
            self._journal.remove()

    def _work(self, progress: Progress) -> Iterator[Progress]:
        """Derive what is left. When this ends the files are complete, and the journal says so."""
        _keep_freed_memory()
        job, schema = self._job, card_schema(self._people, self._job.mindex)
        with contextlib.ExitStack() as held:
            cards = open_cards(job.output, format_of(job.output, job.stream_format), schema, progress.output)
            held.callback(cards.close)
            rejects: Rejects = RejectsFile(job.rejects, progress.rejects) if job.rejects else RejectLines()
            held.callback(rejects.close)
            checkpoints = Checkpoints(job.checkpoint, partial(self._checkpoint, cards, rejects))
            held.callback(checkpoints.close)
            for block in self._people.blocks(Position(progress.offset, progress.line)):
                issued = Cards(block, issue(block.people, self._keys, job.padding))
                refused = self._refused(*issued)
                cards.write(issued)
                rejects.write(refused)
                progress = msgspec.structs.replace(
                    progress,
                    offset=block.following.offset,
                    line=block.following.line,
                    rows=progress.rows + len(issued) + len(refused),
                    cards=progress.cards + len(issued),
                )
                if checkpoints.due():
                    progress = msgspec.structs.replace(progress, output=cards.flush(), rejects=rejects.flush())
                    checkpoints.begin(progress)
                yield progress
            checkpoints.close()
            cards.complete()
            rejects.complete()
            self._save(msgspec.structs.replace(progress, finishing=True))

    def _checkpoint(self, cards: CardFile, rejects: Rejects, progress: Progress) -> None:
        """Durable now, so that the end need not wait for all of it."""
        cards.sync()
        rejects.sync()
        if cards.continuable:
            self._save(progress)

    def _save(self, progress: Progress) -> None:
        if self._journal:
            self._journal.save(progress)

    def _refused(self, block: Block, issued: Issued) -> list[Refusal]:
        titles = dict(zip(FIELDS, self._people.titles, strict=True))
        rows = [Refusal(int(block.lines[one.row]), titles[one.field], one.reason) for one in issued.refused]
        return sorted(block.refused + rows)


def _keep_freed_memory() -> None:
    """Let the next block have the memory of the last one.

    The C library returns large pieces to the system when they are freed, and a block's would be mapped and cleared
    anew. It stops doing so up to the size of a piece that was freed before (glibc, up to 32 MiB); elsewhere this does
    nothing. No memory is touched.
    """
    np.empty(31 << 20, np.uint8)


@contextlib.contextmanager
def opened(job: Job, keys: KeyService) -> Iterator[DerivationRun]:
    """Open, check and lock the files of a job. Raises FileError, Conflict, KeyUnavailable."""
    form, _ = format_of(job.people, job.stream_format), format_of(job.output, job.stream_format)
    for path in (job.output, job.rejects):
        if path and not path.parent.is_dir():
            raise FileError(f"{path}: there is no folder {path.parent}; make it first")
    with contextlib.ExitStack() as held:
        people = open_people(job.people, form, job.keep, job.encoding, job.block_bytes)
        held.callback(people.close)
        journal = Journal(job.output, _facts(job, people, keys) if job.over_files else {})
        if job.output != STANDARD_STREAM:
            held.enter_context(journal.locked())
        yield DerivationRun(job, keys, people, journal if job.over_files else None)


def _facts(job: Job, people: PeopleFile, keys: KeyService) -> dict[str, str]:
    """What an interrupted run must find unchanged, by names that are shown when it does not."""
    found = job.people.stat()
    return {
        "input size": str(found.st_size),
        "input time": str(found.st_mtime_ns),
        "input content": sm3(people.head()).hex(),
        "--encoding": job.encoding,
        "--keep": ",".join(job.keep),
        "--mindex": str(job.mindex),
        "--rejects": str(job.rejects),
        "setting padding": job.padding,
        "security key": f"version {keys.security_key_version}, check value {keys.security_key_check_value}",
        "version of ehc": ehc.__version__,
    }


def _refuse_to_replace(path: Path, job: Job) -> None:
    if job.people != STANDARD_STREAM and path.samefile(job.people):
        raise Conflict(f"{path} is the file of people itself: choose another output")
    if not job.force:
        raise Conflict(f"{path} exists: --force replaces it")
