"""What the service answers. Fields that this version does not know are left out: a newer service can be asked."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Time(Struct, frozen=True):
    now: datetime
    epoch: int


class Card(Struct, frozen=True):
    """name and id_number are masked."""

    card_id: str
    state: str
    name: str
    id_number: str
    registered_at: datetime
    kind: str
    person: str
    deadline: datetime | None
    birth_order: int | None
    merged_into: str | None
    origin: str


class RegisteredCard(Card, frozen=True):
    """created: False when this person had a card already."""

    created: bool


class Code(Struct, frozen=True):
    """payload: what the QR code says. Times are None for a static one."""

    payload: str
    kind: str
    expires_at: datetime | None
    refresh_at: datetime | None


class Verification(Struct, frozen=True):
    """False where the code is not accepted; reason says why."""

    accepted: bool
    reason: str
    scene: str
    step: int | None = None
    detail: str | None = None
    name: str | None = None
    card_id: str | None = None
    expires_at: datetime | None = None
    profile: str | None = None
    visit: str | None = None
    degraded: bool = False

    def __bool__(self) -> bool:
        return self.accepted


class OfflineVerdict(Struct, frozen=True):
    """ruling: `judged`, or why it was not; first: who used a code before, of `replayed`."""

    accepted: bool
    ruling: str = "judged"
    reason: str | None = None


class OfflineVerdicts(Struct, frozen=True):
    """Row for row. conflicts: accepted without network, and refused now."""

    rows: list[OfflineVerdict]
    conflicts: int
    clock_drift: int


class OfflineList(Struct, frozen=True):
    """list: the text that is signed, as it is (ehc/codes/offline.py)."""

    list: str
    key_version: int
    signature: str


class RevokedCode(Struct, frozen=True):
    card_id: str
    name: str
    expires_at: datetime


class UseRuling(Struct, frozen=True):
    """kept and duplicate: it is stored."""

    record_id: str
    ruling: str
    detail: str


class UseRulings(Struct, frozen=True):
    records: list[UseRuling]
    kept: int
    refused: int


class PlacedRecord(Struct, frozen=True):
    """outcome: new, linked, updated, unchanged, held; reviews: tasks that were opened for readers."""

    record: int
    person: int
    outcome: str
    rule: str
    reviews: list[int]


DOMAINS = "urn:ehc:domain:"
VISIT_CARDS = f"{DOMAINS}visit-card/"


class CrossedNumber(Struct, frozen=True):
    system: str
    value: str
    use: str | None = None


class CrossedPart(Struct, frozen=True):
    name: str
    valueIdentifier: CrossedNumber | None = None


class Crossed(Struct, frozen=True):
    """FHIR Parameters."""

    parameter: list[CrossedPart] = []

    def numbers(self) -> list[CrossedNumber]:
        return [one.valueIdentifier for one in self.parameter if one.valueIdentifier is not None]

    def visit_cards(self) -> list[tuple[str, str]]:
        """Institution and number of each visit card (就诊卡) among them."""
        found = (one for one in self.numbers() if one.system.startswith(VISIT_CARDS))
        return [(one.system.removeprefix(VISIT_CARDS), one.value) for one in found]


class PersonKey(Struct, frozen=True):
    person: int


class IndexEvent(Struct, frozen=True):
    number: int
    at: datetime
    kind: str
    record: int | None
    person: int | None
    other: int | None
    by: str


class IndexEvents(Struct, frozen=True):
    events: list[IndexEvent]


class ConsumerOffset(Struct, frozen=True):
    consumer: str
    event: int


class LicenceFile(Struct, frozen=True):
    licence: str
    sig: str
    ends_at: datetime


class SealedKey(Struct, frozen=True):
    key: str
    app: str
    sealed: str


class Rekeying(Struct, frozen=True):
    """How a re-keying (安全密钥更新) stands; done, total, rate and seconds_left are of the phase."""

    phase: str
    paused: bool
    working: bool
    old_version: int
    new_version: int
    present: int
    done: int
    total: int
    due: int
    wrong: int
    differing: int
    refused: int
    rate: float
    seconds_left: float | None
    began_at: datetime
    ended_at: datetime | None


class AuthorityKey(Struct, frozen=True):
    version: int
    public_key: str


class AuthorityKeys(Struct, frozen=True):
    keys: list[AuthorityKey]

    def by_version(self) -> dict[int, bytes]:
        return {key.version: bytes.fromhex(key.public_key) for key in self.keys}


class PhysicalCard(Struct, frozen=True):
    """name and id_number are masked. national: the service asked another registry, `registry`."""

    number: str
    state: str
    issuer: str
    id_type: str
    name: str
    id_number: str
    version: int
    source: str
    changed_at: datetime
    card_id: str | None
    registry: str
    national: bool


class EnteredPhysicalCard(PhysicalCard, frozen=True):
    created: bool
    hint: str | None


class PhysicalCards(Struct, frozen=True):
    physical_cards: list[PhysicalCard]


class PhysicalCardEvent(Struct, frozen=True):
    at: datetime
    kind: str
    state_before: str | None
    state_after: str
    version: int | None
    source: str | None
    by: str
    note: str


class PhysicalCardHistory(Struct, frozen=True):
    events: list[PhysicalCardEvent]


class CardRecord(Struct, frozen=True):
    """A physical card in full, as registries exchange it."""

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
        return f"<CardRecord …{self.number[-4:]}>"


class RegistryFeed(Struct, frozen=True):
    registry: str
    cards: list[CardRecord]
    next: str
    more: bool


class PushedRulings(Struct, frozen=True):
    """Card for card: new, newer, same, older, refused."""

    registry: str
    rulings: list[str]


class CardsDigest(Struct, frozen=True):
    registry: str
    cards: int
    last: str
    digest: str


class CardRange(Struct, frozen=True):
    registry: str
    cards: list[CardRecord]


class Problem(Struct, frozen=True):
    """RFC 9457."""

    type: str = ""
    title: str = ""
    status: int = 0
    instance: str = ""
    detail: str | None = None
    field: str | None = None


class Coding(Struct, frozen=True):
    system: str = ""
    code: str = ""


class Said(Struct, frozen=True):
    coding: tuple[Coding, ...] = ()
    text: str = ""


class Issue(Struct, frozen=True):
    details: Said = Said()
    diagnostics: str | None = None


class OperationOutcome(Struct, frozen=True):
    """What FHIR's paths answer in place of a problem: its type is the coding."""

    issue: tuple[Issue, ...] = ()
