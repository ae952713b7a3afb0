"""The registry (注册管理系统) as its desk and its callers use it: one physical card found, registered, changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ehc.cards.accounts import Act
from ehc.cards.bulk_registration import columns_of
from ehc.cards.issuing import PersonColumns
from ehc.cards.life import reason_of
from ehc.errors import Conflict, IdentityError, InputError, NotFound
from ehc.registry import checking
from ehc.registry.card import CardEvent, CardEventKind, KeptCard, PhysicalCard, RegistryStore, Ruling, Taking
from ehc.registry.checking import CardColumns
from ehc.registry.intake import WITHOUT, Intake, Prepared
from ehc.registry.life import require_step

HOLDER = ("id_type", "id_number", "name")
UNKNOWN = "no physical card has this number here"


class Record(NamedTuple):
    """A physical card as somebody says it is: nothing is checked yet."""

    number: str
    chip: str
    issuer: str
    id_type: str
    id_number: str
    name: str
    state: str
    version: int
    source: str

    def __repr__(self) -> str:
        return f"<Record …{self.number[-4:]}>"


def record_of(card: PhysicalCard) -> Record:
    return Record(*card[:6], card.state.word, *card[7:])


class Entered(NamedTuple):
    """card: as it is now. created: it was not there."""

    kept: KeptCard
    created: bool
    hint: str = ""  # why there is no electronic card, where there should be one


class Registry:
    """code: of this registry, which stands as `source` in the versions made here. All raise Unavailable."""

    def __init__(self, code: str, store: RegistryStore, intake: Intake) -> None:
        self.code, self.store, self.intake = code, store, intake

    # --- finding

    def card(self, number: str) -> KeptCard:
        """Raises NotFound, InputError for what is no card number."""
        found = self.store.find(checking.checked("number", number))
        if found is None:
            raise NotFound(UNKNOWN)
        return found

    def cards_of(self, account: int) -> Sequence[KeptCard]:
        """Physical cards of the holder of an electronic card, by number."""
        return self.store.of_account(account)

    def history(self, number: str) -> Sequence[CardEvent]:
        """Oldest first. Raises NotFound, InputError."""
        return self.store.history(self.card(number).card.number)

    # --- changing

    def register(self, given: Record, now: int, by: str) -> Entered:
        """A card that is new here, its holder given an electronic card if they hold it. The same again is no error.

        Version and source are this registry's. Raises InputError, Conflict when the number is another card's."""
        prepared = self._prepared(given._replace(version=1, source=self.code))
        card = prepared.cards[0]
        here = self.store.find(card.number)
        if here is None:
            return self._enter(prepared, Taking(now, CardEventKind.REGISTERED, by), Ruling.NEW)
        if here.card[:6] != card[:6]:
            raise Conflict("this card number is kept already, with other particulars")
        return Entered(here, created=False)

    def change_state(self, number: str, state: str, act: Act) -> Entered:
        """Raises NotFound, InputError, Conflict for what may not follow (life.py)."""
        here = self.card(number).card
        after = checking.checked("state", state)
        require_step(here.state, after)
        card = here._replace(state=after, version=here.version + 1, source=self.code)
        taking = Taking(act.now, CardEventKind.CHANGED, act.by, reason_of(act.reason))
        return self._enter(self._prepared(record_of(card)), taking, Ruling.NEWER)

    def _prepared(self, record: Record) -> Prepared:
        """Raises InputError that names the field."""
        prepared = self.intake.prepare(*columns([record]))
        for _, field, reason in prepared.refused:
            raise IdentityError(field, reason) if field in HOLDER else InputError(f"{field}: {reason}")
        return prepared

    def _enter(self, prepared: Prepared, taking: Taking, wanted: Ruling) -> Entered:
        linked, (ruling,) = self.intake.finish(prepared, taking)
        if ruling is not wanted:
            raise Conflict("this physical card was changed by somebody else at this moment: look at it again")
        hint = WITHOUT if linked.other_name else ""
        return Entered(self.card(prepared.cards[0].number), wanted is Ruling.NEW, hint)


def columns(records: Sequence[Record]) -> tuple[PersonColumns, CardColumns]:
    """Rows as `Intake` takes them."""
    people = columns_of([(one.id_type, one.id_number, one.name) for one in records])
    rows = [(one.number, one.chip, one.issuer, one.state, str(one.version), one.source) for one in records]
    return people, CardColumns(*map(list, zip(*rows, strict=True)))
