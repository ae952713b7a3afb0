"""The master index: persons found by a number or by what is known of them; tasks for readers, compared side by side.

Found persons are masked. A task's two sides are shown in full to the reader who has claimed it, each as a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import Response

from ehc.access.looks import purpose_of
from ehc.cards.accounts import Act
from ehc.cards.life import reason_of
from ehc.errors import InputError
from ehc.index.finding import Finder
from ehc.index.person import Person
from ehc.index.record import FIELDS, Record, new_record
from ehc.index.review import CHANGES, CONTRADICTS, Matter, Review, ReviewAnswer
from ehc.index.weights import Part
from ehc.web.console import forms
from ehc.web.console.door import sentence
from ehc.web.console.page import Visit

PAGE = 50
ASKED = "mindex"
"""The domain of what is looked for by name: such a record stands nowhere."""


class Row(NamedTuple):
    """A field of two sides, and what their agreement weighs."""

    field: str
    one: str
    other: str
    part: Part | None

    @property
    def kind(self) -> str:
        """The badge that a part has."""
        bits = self.part.bits if self.part else 0.0
        return "good" if bits > 0 else "bad" if bits < 0 else "plain"


class Why(NamedTuple):
    """Why a task was opened: `rule.<rule>` of the catalogue, and the fields or domains that it is about."""

    rule: str
    about: Sequence[str]


_BEGINNINGS = {
    "strong": "strong:",
    "contradiction": "contradiction:",
    "changes": CHANGES,
    "contradicts": CONTRADICTS,
}


def _why(task: Review) -> Why:
    for rule, begins in _BEGINNINGS.items():
        if task.reason.startswith(begins):
            return Why(rule, task.reason.removeprefix(begins).split(", "))
    return Why(task.reason, ())


def _names(visit: Visit) -> dict[str, str]:
    return {one.code: one.name for one in visit.services.index.book.now().domains}


def show_index(visit: Visit) -> Response:
    return _index_page(visit, forms.IndexSearch("number"))


def _index_page(
    visit: Visit, form: forms.IndexSearch, found: Sequence[Person] | None = None, wrong: str = "", status: int = 200
) -> Response:
    domains = sorted(visit.services.index.finder.domains(), key=lambda one: one.code)
    return visit.show("index.html", status, form=form, found=found, wrong=wrong, domains=domains, names=_names(visit))


def search_index(visit: Visit, form: forms.IndexSearch) -> Response:
    """What is searched for stands in the form alone, as everywhere."""
    try:
        purpose = purpose_of(form.purpose.replace("%", "%25"))
        found = _find(visit.services.index.finder, form)
    except InputError as error:
        return _index_page(visit, form, wrong=sentence(error, visit.language) or form.by, status=422)
    for _ in range(max(1, len(found))):
        visit.look(None, purpose)
    return _index_page(visit, form, found)


def _find(finder: Finder, form: forms.IndexSearch) -> Sequence[Person]:
    if form.by == "number":
        return finder.by_identifier(form.domain, form.value)
    fields = {"name": form.name, "birth_date": form.birth_date, "phone": form.phone}
    return finder.by_fields(new_record(finder.domains(), ASKED, "-", fields))


def list_reviews(visit: Visit, query: forms.ReviewsPage) -> Response:
    closed = query.closed == "yes"
    found = visit.services.index.reviewing.queue(closed=closed, after=query.after, limit=PAGE)
    following = found[-1].number if len(found) == PAGE else None
    reviews = [(one, _why(one)) for one in found]
    return visit.show("reviews.html", reviews=reviews, closed=closed, following=following, names=_names(visit))


def show_review(visit: Visit, review: str, query: forms.Done) -> Response:
    index = visit.services.index
    task = index.reviewing.find(_number(review))
    mine = task.closed_at is None and task.claimed_by == visit.operator.by and task.claimed_until > visit.now
    rows = _compared(visit, task) if mine else []
    voted, why = _has_voted(task, visit.operator.by), _why(task)
    return visit.show("review.html", task=task, mine=mine, rows=rows, voted=voted, why=why, names=_names(visit))


def _number(text: str) -> int:
    """0, which no task has, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _has_voted(task: Review, by: str) -> bool:
    return any(vote.by == by for vote in task.votes)


def _compared(visit: Visit, task: Review) -> list[Row]:
    """Both sides are looked at from now on."""
    index = visit.services.index
    for _ in range(2 if task.matter is Matter.PAIR else 1):
        visit.look(None, f"review {task.number}")
    if task.matter is Matter.PAIR:
        one, other = (_as_record(index.finder.person(key)) for key in (task.person, task.other))
    else:
        [stored] = index.store.records([task.record])
        assert task.body is not None  # noqa: S101  an update has one
        one, other = stored.body, task.body
    parts = {part.field: part for part in index.book.now().decider.decide(one, other).score.parts}
    parts["resident-id"] = parts.pop("number")
    plain = [Row(name, getattr(one, name), getattr(other, name), parts.get(name)) for name in FIELDS]
    return plain + _numbers(one, other, parts.get("resident-id"))


def _as_record(person: Person) -> Record:
    """What survives of a person, as one record."""
    first = person.records[0].body
    fields = {name: person.value(name) for name in FIELDS}
    return Record(first.source, first.local_id, **fields, identifiers=person.identifiers)


def _numbers(one: Record, other: Record, resident: Part | None) -> list[Row]:
    sides = [{}, {}]  # type: list[dict[str, str]]
    for side, record in zip(sides, (one, other), strict=True):
        for identifier in record.current():
            side.setdefault(identifier.domain, identifier.value)
    codes = sorted({*sides[0], *sides[1]} - {ASKED})
    return [Row(c, sides[0].get(c, ""), sides[1].get(c, ""), resident if c == "resident-id" else None) for c in codes]


def decide_review(visit: Visit, review: str, form: forms.ReviewAct) -> Response:
    number, reviewing = _number(review), visit.services.index.reviewing
    visit.begin(f"{form.act} {number}")
    if form.act == "claim":
        reviewing.claim(number, visit.operator.by, visit.now)
        return visit.go(f"/console/reviews/{number}", "claim")
    act = Act(visit.now, visit.operator.by, reason_of(form.reason))
    reviewing.decide(number, ReviewAnswer(form.act), act)
    return visit.go("/console/reviews", "decide_review")
