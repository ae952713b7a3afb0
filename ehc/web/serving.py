"""What happens to a request between its headers and its reply, whichever way it came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ehc.access.caller import ANYBODY
from ehc.access.looks import purpose_of
from ehc.web.endpoint import Call, Endpoint
from ehc.web.reply import Reply, Streamed
from ehc.web.worker import Worker


async def admit(endpoint: Endpoint, worker: Worker, header: Callable[[str], str | None], client: str) -> Call:
    """header: of the request, by its lower-case name. client: its address.

    Raises Unauthenticated, Forbidden, TooMany, Unavailable, and InputError for a purpose that is missing.
    """
    services, gate = worker.services, worker.gate
    if endpoint.signed:
        return Call(services, worker.observed, ANYBODY, endpoint.operation, gate=gate)
    if endpoint.scope is None or (endpoint.local and _is_local(header, client)):
        return Call(services, worker.observed, ANYBODY, endpoint.operation)
    caller = await gate.admit(header("authorization"), endpoint.scope)
    purpose = purpose_of(header("x-purpose") or "") if endpoint.plain else ""
    call = Call(services, worker.observed, caller, endpoint.operation, purpose)
    call.client_time = header("x-client-time")
    return call


def _is_local(header: Callable[[str], str | None], client: str) -> bool:
    """Not what a proxy on this machine hands on."""
    return client in ("127.0.0.1", "::1") and not any(map(header, ("authorization", "forwarded", "x-forwarded-for")))


async def answer(endpoint: Endpoint, call: Call, worker: Worker, arguments: dict[str, Any]) -> Reply | Streamed:
    reply = await endpoint.handler(call, **arguments)
    if endpoint.plain and not call.looked:
        raise AssertionError(f"{endpoint.operation} would show plain data, and recorded no look")
    if call.cost > 1:
        worker.gate.charge(call.caller, call.cost - 1)
    return reply
