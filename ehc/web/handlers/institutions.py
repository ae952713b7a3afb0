"""Institutions, departments and terminals. Who speaks for an institution sees and changes that one's parts alone."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from ehc.errors import Forbidden
from ehc.institutions.place import Department, Institution, P, Terminal
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import institutions as render
from ehc.web.reply import Reply
from ehc.web.wire import institutions as wire
from ehc.web.wire.base import Body


def _require_authority(call: Call) -> None:
    """An institution neither registers itself nor enables itself again."""
    if call.caller.institution is not None:
        raise Forbidden(f"{call.caller.name} speaks for an institution: only an authority's caller may do this")


async def _add(call: Call, place: P) -> P:
    return await run_in_threadpool(lambda: call.services.register.add(place, call.caller.name))


async def _change(call: Call, kind: type[P], key: tuple[str, ...], body: Body) -> P:
    services, change = call.services, render.change(body)
    return await run_in_threadpool(
        lambda: services.register.change(kind, key, change, services.clock(), call.caller.name)
    )


async def add_institution(call: Call, body: wire.NewInstitution) -> Reply:
    _require_authority(call)
    new = Institution(body.code, body.name, body.region, body.kind, call.services.clock())
    return reply.json(render.institution(await _add(call, new)), 201)


async def change_institution(call: Call, institution: str, body: wire.InstitutionChange) -> Reply:
    _require_authority(call)
    return reply.json(render.institution(await _change(call, Institution, (institution,), body)))


async def show_institution(call: Call, institution: str) -> Reply:
    call.institution(institution)
    return reply.json(
        render.institution(await run_in_threadpool(call.services.register.find, Institution, institution))
    )


async def list_institutions(call: Call, query: wire.InstitutionsPage) -> Reply:
    register, own = call.services.register, call.caller.institution
    if own is not None:
        found = [await run_in_threadpool(register.find, Institution, own)]
        return reply.json(wire.Institutions([render.institution(one) for one in found], None))
    page = await run_in_threadpool(register.institutions, query.region, query.after, query.limit)
    return reply.json(wire.Institutions([render.institution(one) for one in page], render.next_page(page, query.limit)))


async def add_department(call: Call, institution: str, body: wire.NewDepartment) -> Reply:
    call.institution(institution)
    new = Department(institution, body.code, body.name, call.services.clock())
    return reply.json(render.department(await _add(call, new)), 201)


async def change_department(call: Call, institution: str, department: str, body: wire.DepartmentChange) -> Reply:
    call.institution(institution)
    return reply.json(render.department(await _change(call, Department, (institution, department), body)))


async def list_departments(call: Call, institution: str, query: wire.Page) -> Reply:
    call.institution(institution)
    within = call.services.register.within
    page = await run_in_threadpool(within, Department, institution, query.after, query.limit)
    return reply.json(wire.Departments([render.department(one) for one in page], render.next_page(page, query.limit)))


async def add_terminal(call: Call, institution: str, body: wire.NewTerminal) -> Reply:
    call.institution(institution)
    new = Terminal(institution, body.code, body.channel, body.department, call.services.clock())
    return reply.json(render.terminal(await _add(call, new)), 201)


async def change_terminal(call: Call, institution: str, terminal: str, body: wire.TerminalChange) -> Reply:
    call.institution(institution)
    return reply.json(render.terminal(await _change(call, Terminal, (institution, terminal), body)))


async def list_terminals(call: Call, institution: str, query: wire.Page) -> Reply:
    call.institution(institution)
    within = call.services.register.within
    page = await run_in_threadpool(within, Terminal, institution, query.after, query.limit)
    return reply.json(wire.Terminals([render.terminal(one) for one in page], render.next_page(page, query.limit)))
