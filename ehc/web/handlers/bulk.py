"""Many people at once."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator

import msgspec
from starlette.concurrency import run_in_threadpool

from ehc.web import reply
from ehc.web.endpoint import Call, Chunks
from ehc.web.people_body import BLOCK_BYTES, BodyReader, PeopleBlock, Reader, batch_people, csv_people, ndjson_people
from ehc.web.render import bulk as render
from ehc.web.reply import Reply, Streamed
from ehc.web.wire import bulk as wire

ROWS_A_REQUEST = 128
"""A batch is charged to its caller's rate as the work that it is."""

MOST_ROWS = 500_000
"""Of a bulk body. Granian keeps what its client does not read: this bounds what a client makes us keep (100 MB)."""

_encoder = msgspec.json.Encoder()


async def register_batch(call: Call, body: wire.Batch) -> Reply:
    call.cost = 1 + len(body.people) // ROWS_A_REQUEST
    rows = await run_in_threadpool(lambda: _register(call, batch_people(body.people)))
    return reply.json(wire.BatchOutcome(rows))


async def register_ndjson(call: Call, body: Chunks) -> Streamed:
    return await _stream(call, body, ndjson_people)


async def register_csv(call: Call, body: Chunks) -> Streamed:
    return await _stream(call, body, csv_people)


def _register(call: Call, block: PeopleBlock) -> list[wire.RowOutcome]:
    """Rows that are committed when this returns, in order."""
    services = call.services
    found = services.bulk.register(block.people, services.clock(), call.caller.name)
    rows = [*map(render.row, block.rows, found)]
    if not block.refused:
        return rows
    return sorted([*rows, *(render.refused(*one) for one in block.refused)], key=lambda one: one.row)


async def _stream(call: Call, body: Chunks, read: Reader) -> Streamed:
    """What is wrong with the body's beginning is a problem document; after that every row has a line."""
    outcomes = _outcomes(call, io.BufferedReader(BodyReader(body), BLOCK_BYTES), read)
    first = await run_in_threadpool(next, outcomes, None)
    return Streamed(_chunks(first, outcomes))


def _outcomes(call: Call, body: io.BufferedReader, read: Reader) -> Iterator[bytes]:
    done = 0
    for block in read(body):
        if done >= MOST_ROWS:
            yield _encoder.encode_lines([_too_many(block)])
            break
        yield _encoder.encode_lines(_register(call, block))
        done += len(block.rows) + len(block.refused)
    while body.read(BLOCK_BYTES):  # who still sends would not hear the answer
        continue


def _too_many(block: PeopleBlock) -> wire.RowOutcome:
    row = min([*block.rows[:1], *(one.row for one in block.refused[:1])])
    return render.refused(row, "", f"a request brings {MOST_ROWS:,} rows: send this one and those after it in another")


async def _chunks(first: bytes | None, outcomes: Iterator[bytes]) -> AsyncIterator[bytes]:
    chunk = first
    while chunk is not None:
        yield chunk
        chunk = await run_in_threadpool(next, outcomes, None)
