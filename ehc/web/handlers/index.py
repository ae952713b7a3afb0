"""The master index: records of sources, merges by hand, events for whoever follows, tasks for readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from ehc.access.caller import NAME
from ehc.cards.accounts import Act
from ehc.cards.life import reason_of
from ehc.errors import Forbidden, NotFound
from ehc.index.domain import new_domain
from ehc.index.index import Index
from ehc.index.lines import record_of
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.handlers.sdks import require_authority
from ehc.web.render import index as render
from ehc.web.reply import Reply
from ehc.web.wire import index as wire

T = TypeVar("T")
MOST = 1 << 53


def number_of(text: str) -> int:
    """Raises NotFound for what is no key."""
    if not (text.isascii() and text.isdigit() and len(text) < 17 and 0 < int(text) < MOST):
        raise NotFound("no such thing in the index: a key is a whole number")
    return int(text)


def _act(call: Call, reason: str) -> Act:
    return Act(call.services.clock(), call.caller.name, reason_of(reason))


async def _ask(call: Call, work: Callable[[Index], T]) -> T:
    index = call.services.index
    return await run_in_threadpool(lambda: work(index))


async def add_domain(call: Call, body: wire.NewDomain) -> Reply:
    require_authority(call)
    kind = {"strong": body.strong, "single": body.single, "now": call.services.clock()}
    new = new_domain(body.code, body.name, body.authority, body.system, **kind)  # type: ignore[arg-type]
    return reply.json(render.domain(await _ask(call, lambda index: index.master.add_domain(new))), 201)


async def list_domains(call: Call) -> Reply:
    return reply.json(render.domains(await _ask(call, lambda index: index.finder.domains())))


async def put_record(call: Call, body: wire.SourceRecord) -> Reply:
    """Who speaks for an institution speaks of its visit cards alone."""
    own = _own_source(call)
    if own not in (None, body.source):
        raise Forbidden(f"{call.caller.name} speaks for {call.caller.institution}: its source is {own}")
    act = Act(call.services.clock(), call.caller.name, "")

    def work(index: Index) -> Reply:
        record = record_of(index.book.now().domains, render.line(body))
        placed = index.master.put(record, act)
        return reply.json(render.placed(placed), 201 if placed.outcome in ("new", "linked") else 200)

    return await _ask(call, work)


def _own_source(call: Call) -> str | None:
    """The records that a caller may speak of; None: all."""
    own = call.caller.institution
    return None if own is None else f"visit-card/{own}"


async def merge_persons(call: Call, person: str, body: wire.PersonMerge) -> Reply:
    require_authority(call)
    one, act = number_of(person), _act(call, body.reason)
    return reply.json(wire.PersonKey(await _ask(call, lambda index: index.master.merge(one, body.other, act))))


async def unmerge_person(call: Call, person: str, body: wire.PersonUnmerge) -> Reply:
    require_authority(call)
    one, act = number_of(person), _act(call, body.reason)
    return reply.json(wire.PersonKey(await _ask(call, lambda index: index.master.unmerge(one, act))))


async def link_record(call: Call, record: str, body: wire.RecordLink) -> Reply:
    """Who speaks for an institution takes its own visit cards off a person, and puts none to another one."""
    number, act, to, own = number_of(record), _act(call, body.reason), body.person, _own_source(call)
    if to is not None:
        require_authority(call)

    def work(index: Index) -> int:
        return index.master.unlink(number, act, own) if to is None else index.master.link(number, to, act)

    return reply.json(wire.PersonKey(await _ask(call, work)))


async def list_index_events(call: Call, query: wire.EventsPage) -> Reply:
    found = await _ask(call, lambda index: index.store.events(query.after, query.limit))
    return reply.json(render.events(found))


def _consumer(call: Call, name: str) -> str:
    """A caller's own: no other one moves it. Raises NotFound for what is no name."""
    if not NAME.fullmatch(name):
        raise NotFound("a consumer's name has 1 to 64 letters, digits, dots, dashes and underscores")
    return f"{call.caller.name}/{name}"


async def show_offset(call: Call, consumer: str) -> Reply:
    mine = _consumer(call, consumer)
    return reply.json(wire.ConsumerOffset(consumer, await _ask(call, lambda index: index.store.offset(mine))))


async def commit_offset(call: Call, consumer: str, body: wire.OffsetChange) -> Reply:
    now, mine = call.services.clock(), _consumer(call, consumer)

    def work(index: Index) -> int:
        index.store.commit_offset(mine, body.event, now)
        return index.store.offset(mine)

    return reply.json(wire.ConsumerOffset(consumer, await _ask(call, work)))


async def list_reviews(call: Call, query: wire.ReviewsPage) -> Reply:
    where = {"closed": query.closed, "after": query.after, "limit": query.limit}
    found = await _ask(call, lambda index: index.reviewing.queue(**where))  # type: ignore[arg-type]
    return reply.json(render.reviews(found))


async def claim_review(call: Call, review: str) -> Reply:
    number, by, now = number_of(review), call.caller.name, call.services.clock()
    return reply.json(render.review(await _ask(call, lambda index: index.reviewing.claim(number, by, now))))


async def decide_review(call: Call, review: str, body: wire.ReviewDecision) -> Reply:
    number, act = number_of(review), _act(call, body.reason)
    return reply.json(render.review(await _ask(call, lambda index: index.reviewing.decide(number, body.answer, act))))
