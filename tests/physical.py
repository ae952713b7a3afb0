"""Invented physical cards: record(i), lines of an export, and a registry over real stores and machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from invented_cards import KEY, person

from ehc.cards.deriving import Deriver
from ehc.crypto import KeyHandle
from ehc.machine.software import SoftwareMachine
from ehc.registry.card import CardEventKind, CardState, PhysicalCard, Ruling, Taking
from ehc.registry.intake import Intake, Linked
from ehc.registry.registry import Record, Registry, columns, record_of
from ehc.wiring.stores import Stores

NOW = 1_767_225_600
HEADER = "number,chip,issuer,id_type,id_number,name,state,version,source\n"


def number(i: int) -> str:
    return f"44A{i:09}"


def card(i: int, state: CardState = CardState.NORMAL, version: int = 1, source: str = "440100") -> PhysicalCard:
    return PhysicalCard(number(i), f"C{i:07}", "440100", *person(i), state, version, source)


def record(i: int, **changes: object) -> Record:
    return record_of(card(i))._replace(**changes)


def lines(records: Iterable[Record]) -> str:
    return HEADER + "".join(",".join(map(str, one)) + "\n" for one in records)


@dataclass
class Room:
    stores: Stores
    registry: Registry

    def take(self, records: Sequence[Record], **more: object) -> tuple[Linked, list[Ruling]]:
        taking = Taking(**{"now": NOW, "kind": CardEventKind.IMPORTED, "by": "test"} | more)
        linked, rulings = self.registry.intake.take(*columns(records), taking)
        return linked, list(rulings)

    def kinds(self, i: int) -> list[str]:
        return [event.kind.value for event in self.stores.registry.history(number(i))]


def room(stores: Stores, code: str = "440000") -> Room:
    machine = SoftwareMachine(KeyHandle(KEY, "security_key", 1), None)  # type: ignore[arg-type]
    return Room(stores, Registry(code, stores.registry, Intake(stores.registry, stores.accounts, Deriver(machine))))
