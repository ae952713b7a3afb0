"""Physical cards: masked for callers, in full for other registries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import msgspec

from ehc.model import Card
from ehc.registry.card import CardEvent, CardState, KeptCard
from ehc.registry.card import PhysicalCard as Kept
from ehc.registry.national import NationalCard
from ehc.registry.registry import Entered, record_of
from ehc.web.render.base import time
from ehc.web.wire import registry as wire


def physical_card(of: KeptCard, electronic: Card | None, registry: str) -> wire.PhysicalCard:
    card, holder = of.card, of.card.holder
    return wire.PhysicalCard(
        card_kind="physical",
        number=card.number,
        state=_state(card.state),
        issuer=card.issuer,
        id_type=card.id_type,
        name=holder.masked_name(),
        id_number=holder.masked_number(),
        version=card.version,
        source=card.source,
        changed_at=time(of.changed_at),
        card_id=electronic.card_id if electronic else None,
        registry=registry,
        national=False,
    )


def national_card(of: NationalCard) -> wire.PhysicalCard:
    fields = of._asdict() | {"changed_at": time(of.changed_at), "state": cast(wire.PhysicalState, of.state)}
    return wire.PhysicalCard(card_kind="physical", card_id=None, national=True, **fields)


def entered(of: Entered, electronic: Card | None, registry: str) -> wire.EnteredPhysicalCard:
    shown = msgspec.structs.asdict(physical_card(of.kept, electronic, registry))
    return wire.EnteredPhysicalCard(**shown, created=of.created, hint=of.hint or None)


def history(of: Iterable[CardEvent]) -> wire.PhysicalCardHistory:
    return wire.PhysicalCardHistory([_event(one) for one in of])


def _event(of: CardEvent) -> wire.PhysicalCardEvent:
    before = None if of.state_before is None else _state(of.state_before)
    after = _state(of.state_after)
    return wire.PhysicalCardEvent(time(of.at), of.kind, before, after, of.version, of.source, of.by, of.note)


def _state(of: CardState) -> wire.PhysicalState:
    return cast(wire.PhysicalState, of.word)


def records(of: Sequence[Kept]) -> list[wire.CardRecord]:
    return [wire.CardRecord(*record_of(one)) for one in of]
