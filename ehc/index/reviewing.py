"""Working on the review queue: claim, decide with a reason; what two readers agree on is done."""

from __future__ import annotations

from collections.abc import Sequence

from ehc.cards.accounts import Act
from ehc.index.history import Kind
from ehc.index.index_store import IndexStore, IndexWriter
from ehc.index.master import merge_by_hand, rematch, unlink, write_update
from ehc.index.review import (
    CLAIM_SECONDS,
    Matter,
    Review,
    ReviewAnswer,
    Vote,
    outcome,
    require_claimable,
    require_vote,
)
from ehc.index.rulebook import Rulebook


class Reviewing:
    """All raise Unavailable, NotFound for a task that is not there, Conflict for one that is decided or claimed."""

    def __init__(self, store: IndexStore, rulebook: Rulebook) -> None:
        self._store, self._book = store, rulebook

    def queue(self, *, closed: bool = False, after: int = 0, limit: int = 50) -> Sequence[Review]:
        """The oldest first."""
        return self._store.reviews(closed=closed, after=after, limit=limit)

    def find(self, number: int) -> Review:
        with self._store.writing() as writer:
            return writer.review(number)

    def claim(self, number: int, by: str, now: int) -> Review:
        """Nobody else decides it in the next 15 minutes. Raises Forbidden for who has voted on it."""
        with self._store.writing() as writer:
            require_claimable(writer.review(number), by, now)
            writer.claim(number, by, now + CLAIM_SECONDS)
            return writer.review(number)

    def decide(self, number: int, answer: ReviewAnswer, act: Act) -> Review:
        """One reader's word. The second one who says the same closes the task, and it is done in the same moment."""
        with self._store.writing() as writer:
            task, vote = writer.review(number), Vote(act.by, answer, act.reason, act.now)
            require_vote(task, vote)
            writer.vote(number, vote)
            agreed = outcome((*task.votes, vote))
            if agreed is not None:
                self._do(writer, task, agreed, act)
                writer.close_review(number, agreed, act.now)
            return writer.review(number)

    def _do(self, writer: IndexWriter, task: Review, answer: ReviewAnswer, act: Act) -> None:
        if task.matter is Matter.PAIR:
            _settle_pair(writer, task, answer, act)
        else:
            self._settle_update(writer, task, answer, act)

    def _settle_update(self, writer: IndexWriter, task: Review, answer: ReviewAnswer, act: Act) -> None:
        """Another person's: the source uses the number anew, so the record leaves its person first."""
        assert task.body is not None  # noqa: S101  an update has one
        [known] = writer.records([task.record])
        alone = len(writer.cluster(known.root)) == 1
        if answer is ReviewAnswer.DIFFERENT and not alone:
            unlink(writer, known, act)
        keys = write_update(writer, task.record, task.body, act)
        [known] = writer.records([task.record])
        rematch(writer, self._book.now().decider, known, task.body, keys, act)


def _settle_pair(writer: IndexWriter, task: Review, answer: ReviewAnswer, act: Act) -> None:
    one, other = writer.root(task.person), writer.root(task.other)
    if one == other:
        return  # somebody merged them meanwhile
    if answer is ReviewAnswer.SAME:
        merge_by_hand(writer, one, other, act)
    else:
        writer.append(Kind.APART, act.now, act.by, act.reason, person=task.person, other=task.other)
