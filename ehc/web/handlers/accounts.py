"""Accounts: what happens to them, their history, children and families."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from ehc.cards.accounts import Accounts, Act
from ehc.model import Card, Identity
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import cards as render
from ehc.web.reply import Reply
from ehc.web.wire import accounts as wire
from ehc.web.wire.cards import Details


async def suspend_card(call: Call, card_id: str, body: wire.StateChange) -> Reply:
    return await _change(call, card_id, body.reason, Accounts.suspend)


async def resume_card(call: Call, card_id: str, body: wire.StateChange) -> Reply:
    return await _change(call, card_id, body.reason, Accounts.resume)


async def cancel_card(call: Call, card_id: str, body: wire.StateChange) -> Reply:
    return await _change(call, card_id, body.reason, Accounts.cancel)


async def restore_card(call: Call, card_id: str, body: wire.StateChange) -> Reply:
    return await _change(call, card_id, body.reason, Accounts.restore)


async def unmerge_card(call: Call, card_id: str, body: wire.StateChange) -> Reply:
    return await _change(call, card_id, body.reason, Accounts.unmerge)


async def revoke_codes(call: Call, card_id: str, body: wire.StateChange) -> Reply:
    return await _change(call, card_id, body.reason, Accounts.revoke_codes)


async def rename_card(call: Call, card_id: str, body: wire.NameChange) -> Reply:
    return await _change(call, card_id, body.reason, lambda accounts, card, act: accounts.rename(card, body.name, act))


async def exchange_document(call: Call, card_id: str, body: wire.DocumentChange) -> Reply:
    person = Identity(body.id_type, body.id_number, body.name)
    return await _change(call, card_id, body.reason, lambda accounts, card, act: accounts.exchange(card, person, act))


async def merge_card(call: Call, card_id: str, body: wire.Merger) -> Reply:
    def merge(accounts: Accounts, card: Card, act: Act) -> Card:
        return accounts.merge(card, accounts.card(body.into), act)

    return await _change(call, card_id, body.reason, merge)


async def modify_card(call: Call, card_id: str, body: Details) -> Reply:
    def modify(accounts: Accounts, card: Card, act: Act) -> Card:
        return accounts.modify(card, render.given(body), act.now, act.by)

    return await _change(call, card_id, "", modify)


async def _change(call: Call, card_id: str, reason: str, change: Callable[[Accounts, Card, Act], Card]) -> Reply:
    """One change of one card, which is shown as it is then."""
    accounts, act = call.services.accounts, Act(call.services.clock(), call.caller.name, reason)

    def work() -> Reply:
        card = change(accounts, accounts.card(card_id), act)
        return reply.json(render.card(card, accounts.merged_into(card)))

    return await run_in_threadpool(work)


async def show_history(call: Call, card_id: str) -> Reply:
    return await _show(call, card_id, lambda accounts, card: reply.json(render.history(accounts.history(card))))


async def show_children(call: Call, card_id: str) -> Reply:
    return await _show(call, card_id, lambda accounts, card: reply.json(render.cards(accounts.children(card))))


async def show_family(call: Call, card_id: str) -> Reply:
    return await _show(call, card_id, lambda accounts, card: reply.json(render.family(accounts.family(card))))


async def set_family_member(call: Call, card_id: str, member: str, body: wire.Membership) -> Reply:
    return await _set_member(call, card_id, member, body.relation)


async def remove_family_member(call: Call, card_id: str, member: str) -> Reply:
    return await _set_member(call, card_id, member, None)


async def _set_member(call: Call, card_id: str, member: str, relation: str | None) -> Reply:
    now, by = call.services.clock(), call.caller.name

    def work(accounts: Accounts, card: Card) -> Reply:
        accounts.set_family(card, accounts.card(member), relation, now, by)
        return reply.json(render.family(accounts.family(card)))

    return await _show(call, card_id, work)


async def _show(call: Call, card_id: str, work: Callable[[Accounts, Card], Reply]) -> Reply:
    accounts = call.services.accounts
    return await run_in_threadpool(lambda: work(accounts, accounts.card(card_id)))
