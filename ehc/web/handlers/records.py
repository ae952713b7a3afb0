"""Uses of cards (用卡数据) and their statistics."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from ehc.errors import Conflict, InputError
from ehc.institutions.statistics import Question, dimensions
from ehc.institutions.use import KEPT, Report, Ruled, Ruling
from ehc.model import seconds
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import institutions as render
from ehc.web.reply import Reply
from ehc.web.wire import institutions as wire

ROWS_A_REQUEST = 16
"""A batch is charged to its caller's rate as the work that it is."""

log = logging.getLogger("ehc.web")


async def add_record(call: Call, body: wire.UseUpload) -> Reply:
    """201 kept, 200 known already; else a problem that says why it is not."""
    (ruled,) = await _upload(call, body.institution, [render.report(body)])
    if ruled.ruling is Ruling.CONFLICT:
        raise Conflict(ruled.detail)
    if ruled.ruling not in KEPT:
        raise InputError(f"{ruled.ruling}: {ruled.detail}")
    return reply.json(wire.UseRuling(*ruled), 201 if ruled.ruling is Ruling.KEPT else 200)


async def add_records(call: Call, body: wire.UseBatch) -> Reply:
    call.cost = 1 + len(body.records) // ROWS_A_REQUEST
    return reply.json(render.rulings(await _upload(call, body.institution, list(map(render.report, body.records)))))


async def _upload(call: Call, named: str | None, reports: Sequence[Report]) -> Sequence[Ruled]:
    institution = call.institution(named)
    if institution is None:
        raise InputError("institution: say whose records these are")
    services = call.services
    ruled = await run_in_threadpool(services.records.upload, institution, reports, services.clock())
    refused = Counter(one.ruling.value for one in ruled if one.ruling not in KEPT)
    if refused:
        fields = {"institution": institution, "caller": call.caller.name, "rulings": dict(refused)}
        log.info("records_refused", extra={"fields": fields})
    return ruled


async def count_uses(call: Call, query: wire.StatisticsQuery) -> Reply:
    institution, by = call.institution(query.institution), dimensions(query.by)
    times = (seconds(query.since), seconds(query.until))
    question = Question(*times, by, query.region, institution, query.scene)
    return reply.json(render.statistics(by, await run_in_threadpool(call.services.statistics.count, question)))
