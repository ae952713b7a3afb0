"""The review queue of the master index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select, update

from ehc.errors import NotFound
from ehc.index.record import decode, encode
from ehc.index.review import Matter, Review, ReviewAnswer, Vote
from ehc.store.tables import index_reviews, index_votes

_PLAIN = ("opened_at", "person", "other", "record", "reason", "score", "claimed_by", "claimed_until", "closed_at")


class ReviewWriter:
    """The part of index_store.IndexWriter that keeps tasks; rules are checked before (index/review.py)."""

    _connection: Connection

    def open_review(self, review: Review) -> Review:
        same = [getattr(index_reviews.c, name) == getattr(review, name) for name in ("person", "other", "record")]
        query = select(index_reviews).where(*same, index_reviews.c.closed_at.is_(None))
        found = self._connection.execute(query.where(index_reviews.c.matter == review.matter.value)).first()
        if found is not None and (found.body is None or decode(found.body) == review.body):
            return _reviews(self._connection, [found])[0]
        values = {name: getattr(review, name) for name in _PLAIN} | {"matter": review.matter.value}
        values["body"] = None if review.body is None else encode(review.body)
        new = index_reviews.insert().values(values).returning(index_reviews.c.review)
        return replace(review, number=self._connection.execute(new).scalar_one())

    def review(self, number: int) -> Review:
        query = select(index_reviews).where(index_reviews.c.review == number).with_for_update()
        found = self._connection.execute(query).first()
        if found is None:
            raise NotFound("no such task in the review queue")
        return _reviews(self._connection, [found])[0]

    def claim(self, number: int, by: str, until: int) -> None:
        self._set(number, claimed_by=by, claimed_until=until)

    def vote(self, number: int, vote: Vote) -> None:
        row = {"review": number, "by": vote.by, "answer": vote.answer.value, "why": vote.why, "at": vote.at}
        self._connection.execute(index_votes.insert().values(row))
        self._set(number, claimed_by="", claimed_until=0)

    def close_review(self, number: int, answer: ReviewAnswer, at: int) -> None:
        self._set(number, closed_at=at, answer=answer.value, claimed_by="", claimed_until=0)

    def _set(self, number: int, **values: Any) -> None:
        self._connection.execute(update(index_reviews).where(index_reviews.c.review == number).values(values))


def page(connection: Connection, *, closed: bool, after: int, limit: int) -> list[Review]:
    ended = index_reviews.c.closed_at
    query = select(index_reviews).where(
        index_reviews.c.review > after, ended.is_not(None) if closed else ended.is_(None)
    )
    return _reviews(connection, connection.execute(query.order_by(index_reviews.c.review).limit(limit)).all())


def _reviews(connection: Connection, rows: Sequence[Row[Any]]) -> list[Review]:
    votes: dict[int, list[Vote]] = defaultdict(list)
    mine = select(index_votes).where(index_votes.c.review.in_([row.review for row in rows]))
    for vote in connection.execute(mine.order_by(index_votes.c.at)):
        votes[vote.review].append(Vote(vote.by, ReviewAnswer(vote.answer), vote.why, vote.at))
    return [_review(row, tuple(votes[row.review])) for row in rows]


def _review(row: Row[Any], votes: tuple[Vote, ...]) -> Review:
    values = {name: getattr(row, name) for name in _PLAIN}
    answer = None if row.answer is None else ReviewAnswer(row.answer)
    body = None if row.body is None else decode(row.body)
    return Review(row.review, Matter(row.matter), **values, body=body, answer=answer, votes=votes)
