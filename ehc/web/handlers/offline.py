"""Checks that terminals made while they were offline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool

from ehc.codes.batch import ROWS, Offline, OfflineVerdict, Unjudged, counted
from ehc.errors import InputError
from ehc.institutions.place import Institution, Terminal
from ehc.institutions.sightings import FURTHEST
from ehc.web import reply
from ehc.web.clocks import ahead
from ehc.web.endpoint import Call
from ehc.web.render import offline as render
from ehc.web.reply import Reply
from ehc.web.wire import verify as wire

CHECKS_A_REQUEST = 8
"""A batch is charged to its caller's rate as the work that it is."""

log = logging.getLogger("ehc.web")

_all = msgspec.json.Decoder(list[wire.OfflineCheck])
_one = msgspec.json.Decoder(wire.OfflineCheck)

Found = OfflineVerdict | Unjudged


async def verify_batch(call: Call, body: wire.VerifyBatch) -> Reply:
    call.cost = 1 + len(body.checks) // CHECKS_A_REQUEST
    institution = call.institution(body.institution)
    if institution is None:
        raise InputError("institution: say whose terminal this is")
    call.seen(institution, body.terminal)
    where = await _where(call, institution, body)
    checks = decode_checks(body.checks)
    found: list[Found] = []
    for begin in range(0, len(checks), ROWS):
        found += await _judge(call, checks[begin : begin + ROWS], where)
        await asyncio.sleep(0)  # all others' turn
    _note(call, found, body, institution)
    told = [one is not None and one.accepted for one in checks]
    return reply.json(render.verdicts(found, told, where.drift, explain=call.services.settings.explain_refusals))


async def offline_list(call: Call) -> Reply:
    made = await run_in_threadpool(call.services.offline_lists.make, call.services.clock())
    return reply.json(wire.OfflineList(made.list, made.key_version, made.signature))


def decode_checks(rows: Sequence[msgspec.Raw]) -> Sequence[wire.OfflineCheck | None]:
    """None for a row that is none. All at once where all are sound: each is a value of its own already."""
    try:
        found = _all.decode(b"[" + b",".join(map(bytes, rows)) + b"]")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [*map(_decoded, rows)]
    return found


def _decoded(row: msgspec.Raw) -> wire.OfflineCheck | None:
    try:
        return _one.decode(row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


async def _judge(call: Call, checks: Sequence[wire.OfflineCheck | None], where: Offline) -> list[Found]:
    services = call.services
    sound = [one for one in checks if one is not None]
    judged = await services.offline.check(sound, where, services.clock())
    if len(sound) == len(checks):
        return judged
    rest = iter(judged)
    return [MALFORMED if one is None else next(rest) for one in checks]


MALFORMED = Unjudged("malformed")


async def _where(call: Call, institution: str, body: wire.VerifyBatch) -> Offline:
    """What the terminal says of its clock goes before what was recorded of it."""
    services = call.services

    def recorded() -> tuple[int | None, int | None]:
        terminal = services.places.find(Terminal, institution, body.terminal)
        places = (terminal, services.places.find(Institution, institution))
        since = [place.disabled_at for place in places if place is not None and place.disabled_at is not None]
        return min(since, default=None), None if terminal is None else terminal.clock_drift

    disabled_at, known = await run_in_threadpool(recorded)
    told = body.clock - services.clock() if body.clock is not None else ahead(call.client_time, services.clock)
    drift = max(-FURTHEST, min(FURTHEST, told if told is not None else known or 0))
    return Offline(f"{institution} {body.terminal}", drift, disabled_at)


def _note(call: Call, found: Sequence[Found], body: wire.VerifyBatch, institution: str) -> None:
    """Every verdict is counted; one line for all that is not accepted."""
    counts = counted(found)
    call.observed.verdicts(counts)
    where = {"institution": institution, "terminal": body.terminal, "caller": call.caller.name}
    log.info("offline_checks", extra={"fields": where | {"verdicts": dict(counts)}})
