"""What happens to a request between its headers and its reply, whichever way it came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.datastructures import State

from ehc.access.caller import ANYBODY
from ehc.access.looks import purpose_of
from ehc.web.endpoint import Call, Endpoint
from ehc.web.gate import Gate
from ehc.web.reply import Reply, Streamed


async def admit(endpoint: Endpoint, state: State, header: Callable[[str], str | None]) -> Call:
    """state: the app's. header: of the request, by its lower-case name.

    Raises Unauthenticated, Forbidden, TooMany, Unavailable, and InputError for a purpose that is missing.
    """
    services, gate = state.services, state.gate
    if endpoint.scope is None:
        return Call(services, state.observed, ANYBODY, endpoint.operation)
    if not gate.fresh:
        await gate.refresh()
    caller = gate.check(header("authorization"), endpoint.scope)
    purpose = purpose_of(header("x-purpose") or "") if endpoint.plain else ""
    return Call(services, state.observed, caller, endpoint.operation, purpose)


async def answer(endpoint: Endpoint, call: Call, gate: Gate, arguments: dict[str, Any]) -> Reply | Streamed:
    reply = await endpoint.handler(call, **arguments)
    if endpoint.plain and not call.looked:
        raise AssertionError(f"{endpoint.operation} would show plain data, and recorded no look")
    if call.cost > 1:
        gate.charge(call.caller, call.cost - 1)
    return reply
