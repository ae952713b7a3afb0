"""The master index: records in, persons, events, tasks for readers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from ehc.index.review import Matter, ReviewAnswer
from ehc.web.wire.base import Body

Code = Annotated[str, Meta(max_length=64, description="of an identity domain, such as visit-card/H1")]
Key = Annotated[int, Meta(ge=1, le=(1 << 53) - 1)]
Reason = Annotated[str, Meta(max_length=256, description="kept for ever: 2 to 200 characters, no long numbers")]
Text = Annotated[str, Meta(max_length=200)]


class NewDomain(Body, frozen=True):
    code: Code
    name: Annotated[str, Meta(max_length=100)]
    authority: Annotated[str, Meta(max_length=100, description="who assigns its numbers")]
    system: Annotated[str, Meta(max_length=240, description="its URI in FHIR; else urn:ehc:domain:<code>")] = ""
    strong: Annotated[bool, Meta(description="the same number means the same person")] = False
    single: Annotated[bool, Meta(description="a person has one for life")] = False


class IdentityDomain(Struct, frozen=True):
    code: str
    name: str
    authority: str
    system: str
    strong: bool
    single: bool


class IdentityDomains(Struct, frozen=True):
    domains: list[IdentityDomain]


class SourceRecord(Body, frozen=True):
    """What a source says of one person now."""

    source: Code
    local_id: Annotated[str, Meta(max_length=64, description="the source's own number of its record")]
    name: Text = ""
    sex: Annotated[str, Meta(max_length=1, description="GB/T 2261.1")] = ""
    birth_date: Annotated[str, Meta(max_length=10, description="YYYY-MM-DD")] = ""
    phone: Annotated[str, Meta(max_length=32)] = ""
    address: Text = ""
    mother: Annotated[str, Meta(max_length=200, description="the mother's name")] = ""
    birth_order: Annotated[str, Meta(max_length=1, description="among children of one birth, 1 to 9")] = ""
    mother_document: Annotated[str, Meta(max_length=64, description="of a newborn")] = ""
    identifiers: Annotated[dict[str, Text] | None, Meta(description="domain -> number")] = None


class PlacedRecord(Struct, frozen=True):
    record: int
    person: Annotated[int, Meta(description="whom everybody sees; 0 to a caller that may not know")]
    outcome: Annotated[str, Meta(description="new, linked, updated, unchanged, held")]
    rule: Annotated[str, Meta(description="by which it was linked or held")]
    reviews: Annotated[list[int], Meta(description="tasks that were opened for readers")]


class PersonMerge(Body, frozen=True):
    other: Key
    reason: Reason


class PersonUnmerge(Body, frozen=True):
    reason: Reason


class RecordLink(Body, frozen=True):
    person: Annotated[Key | None, Meta(description="null: a new person, of the record alone")]
    reason: Reason


class PersonKey(Struct, frozen=True):
    person: Annotated[int, Meta(description="whom everybody sees from now on")]


class EventsPage(Body, frozen=True):
    after: Annotated[int, Meta(ge=0, le=(1 << 53) - 1, description="the last event that is known")] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class IndexEvent(Struct, frozen=True):
    """Numbers alone: who is meant is asked for by itself."""

    number: int
    at: datetime
    kind: Annotated[str, Meta(description="recorded, updated, moved, merged, unmerged, apart, together")]
    record: int | None
    person: int | None
    other: Annotated[int | None, Meta(description="merged: into whom; moved: where to")]
    by: str


class IndexEvents(Struct, frozen=True):
    """In the order of commits, without gaps: whoever goes on from the last one misses nothing."""

    events: list[IndexEvent]


class OffsetChange(Body, frozen=True):
    event: Annotated[int, Meta(ge=0, le=(1 << 53) - 1, description="the last event that is done; never backwards")]


class ConsumerOffset(Struct, frozen=True):
    consumer: str
    event: int


class ReviewsPage(Body, frozen=True):
    after: Annotated[int, Meta(ge=0, le=(1 << 53) - 1)] = 0
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    closed: bool = False


class ReviewVote(Struct, frozen=True):
    by: str
    answer: ReviewAnswer
    at: datetime


class ReviewTask(Struct, frozen=True):
    number: int
    matter: Annotated[Matter, Meta(description="pair: are two persons one; update: is it still the same person")]
    opened_at: datetime
    person: int
    other: int | None
    record: int | None
    rule: str
    bits: Annotated[float, Meta(description="the match weight")]
    claimed_by: str | None
    answer: Annotated[ReviewAnswer | None, Meta(description="null: it is open")]
    votes: list[ReviewVote]


class ReviewTasks(Struct, frozen=True):
    reviews: list[ReviewTask]


class ReviewDecision(Body, frozen=True):
    answer: Annotated[ReviewAnswer, Meta(description="done when two readers say the same")]
    reason: Reason
