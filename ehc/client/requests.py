"""Every operation as plain data: what is sent, what comes back, and whether it may be sent again when nobody knows what
became of it. The two clients (calls.py) send it, one waiting, one awaiting.

repeatable: the service gives the same answer again, or another one that does no harm:
  register              the same person has the same card
  codes                 another code of the same card; the lost one ends by itself
  verify                with institution and terminal: the same place may check a single-use code again
  verify batch          what this place accepted is its own already
  use records           the same record_id is a duplicate, no second record
  records of the index  the same again changes nothing; offsets never go backwards
  temporary card        no: every call makes another card
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from msgspec import Struct

from ehc.client import answers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    method: str
    path: str
    answer: type[T]
    body: Mapping[str, Any] | None = field(default=None, repr=False)  # people's data
    repeatable: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = True  # False: for everybody, who asks is not said; such an answer is not signed


class Use(Struct, frozen=True, omit_defaults=True):
    """A use of a card (用卡数据). used_at: RFC 3339 with its zone. One of card_id and code."""

    record_id: str
    used_at: str
    scene: str
    outcome: str = "served"
    card_id: str | None = None
    code: str | None = None
    department: str | None = None
    terminal: str | None = None


_VISIT_CARD = "visit-card/"
"""Before an institution's code: the identity domain of its visit cards."""


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _segment(text: str) -> str:
    return quote(text, safe="")


def time() -> Request[answers.Time]:
    return Request("GET", "/v1/time", answers.Time, signed=False)


def register(
    id_type: str, id_number: str, name: str, details: Mapping[str, str] | None = None
) -> Request[answers.RegisteredCard]:
    body = _given(id_type=id_type, id_number=id_number, name=name, details=details)
    return Request("POST", "/v1/cards", answers.RegisteredCard, body)


def register_temporary(name: str | None = None, days: int | None = None) -> Request[answers.RegisteredCard]:
    return Request(
        "POST", "/v1/cards/temporary", answers.RegisteredCard, _given(name=name, days=days), repeatable=False
    )


def register_child(
    id_type: str, id_number: str, name: str, birth_date: str, birth_order: int = 1
) -> Request[answers.RegisteredCard]:
    """id_type, id_number: of the guardian."""
    body = _given(guardian={"id_type": id_type, "id_number": id_number}, name=name, birth_date=birth_date)
    return Request("POST", "/v1/cards/child", answers.RegisteredCard, body | {"birth_order": birth_order})


def card(card_id: str) -> Request[answers.Card]:
    return Request("GET", f"/v1/cards/{_segment(card_id)}", answers.Card)


def find(
    *, id_type: str | None = None, id_number: str | None = None, code: str | None = None, scene: str | None = None
) -> Request[answers.Card]:
    """By a document, or by a scanned code and where it was shown."""
    document = {"id_type": id_type, "id_number": id_number} if id_number is not None else None
    return Request("POST", "/v1/cards/find", answers.Card, _given(document=document, code=code, scene=scene))


def static_code(card_id: str) -> Request[answers.Code]:
    return Request("POST", "/v1/codes", answers.Code, {"card_id": card_id, "kind": "static"})


def dynamic_code(card_id: str) -> Request[answers.Code]:
    return Request("POST", "/v1/codes", answers.Code, {"card_id": card_id, "kind": "dynamic"})


def revoke_code(payload: str) -> Request[answers.RevokedCode]:
    return Request("POST", "/v1/codes/revoke", answers.RevokedCode, {"payload": payload})


def verify(
    payload: str, scene: str, *, institution: str | None = None, terminal: str | None = None
) -> Request[answers.Verification]:
    """A refusal is an answer: `if not client.verify(…)`."""
    body = _given(payload=payload, scene=scene, institution=institution, terminal=terminal)
    placed = institution is not None and terminal is not None
    return Request("POST", "/v1/verify", answers.Verification, body, repeatable=placed)


def verify_batch(
    checks: Sequence[Mapping[str, Any]], terminal: str, *, institution: str | None = None, clock: int | None = None
) -> Request[answers.OfflineVerdicts]:
    """What a terminal checked without network: payload, at, scene, accepted. At most 10,000. clock: its own, now."""
    body = _given(terminal=terminal, checks=list(checks), institution=institution, clock=clock)
    return Request("POST", "/v1/verify/batch", answers.OfflineVerdicts, body)


def offline_list() -> Request[answers.OfflineList]:
    return Request("GET", "/v1/offline-list", answers.OfflineList)


def add_uses(uses: Sequence[Use], institution: str | None = None) -> Request[answers.UseRulings]:
    """At most 500."""
    rows = [_given(**{name: getattr(use, name) for name in Use.__struct_fields__}) for use in uses]
    return Request("POST", "/v1/records/batch", answers.UseRulings, _given(records=rows, institution=institution))


def put_record(
    source: str, local_id: str, identifiers: Mapping[str, str] | None = None, **fields: str
) -> Request[answers.PlacedRecord]:
    """What a source says of a person now (跨域主索引). fields: name, sex, birth_date, phone, address, mother …"""
    body = _given(source=source, local_id=local_id, identifiers=identifiers, **fields)
    return Request("POST", "/v1/index/records", answers.PlacedRecord, body)


def cross_reference(system: str, value: str, purpose: str, targets: Sequence[str] = ()) -> Request[answers.Crossed]:
    """A person's numbers in other domains (PIXm). system, targets: URIs. purpose: why; recorded."""
    asked = {"sourceIdentifier": f"{system}|{value}"} | ({"targetSystem": ",".join(targets)} if targets else {})
    path = f"/fhir/Patient/$ihe-pix?{urlencode(asked)}"
    return Request("GET", path, answers.Crossed, headers={"x-purpose": _segment(purpose)})


def bind_visit_card(
    institution: str, number: str, name: str, identifiers: Mapping[str, str], **fields: str
) -> Request[answers.PlacedRecord]:
    """Say that an institution's visit card (就诊卡) is of this person. identifiers, fields: as `put_record`; the same
    again changes nothing. The answer's `record` is what `unbind_visit_card` wants."""
    return put_record(f"{_VISIT_CARD}{institution}", number, identifiers, name=name, **fields)


def visit_cards(domain: str, number: str, purpose: str, institutions: Sequence[str] = ()) -> Request[answers.Crossed]:
    """A person's visit cards, of these institutions or of all: `visit_cards()` of the answer. domain, number: by what
    the person is known (resident-id, passport, visit-card/H1 …). purpose: why; recorded."""
    targets = [f"{answers.VISIT_CARDS}{one}" for one in institutions]
    return cross_reference(f"{answers.DOMAINS}{domain}", number, purpose, targets)


def unbind_visit_card(record: int, reason: str) -> Request[answers.PersonKey]:
    """Take a visit card off its person: it stands alone from now on, and no rule puts it back. A document that its
    institution says of it goes on finding it, until the institution says another one. reason: kept for ever.
    Raises NotFound for a record of another institution, Conflict where it stands alone already."""
    body = {"person": None, "reason": reason}
    return Request("POST", f"/v1/index/records/{record}/link", answers.PersonKey, body, repeatable=False)


def index_events(after: int = 0, limit: int = 100) -> Request[answers.IndexEvents]:
    """What happened in the master index after an event."""
    return Request("GET", f"/v1/index/events?{urlencode({'after': after, 'limit': limit})}", answers.IndexEvents)


def consumer_offset(consumer: str) -> Request[answers.ConsumerOffset]:
    return Request("GET", f"/v1/index/consumers/{_segment(consumer)}", answers.ConsumerOffset)


def commit_offset(consumer: str, event: int) -> Request[answers.ConsumerOffset]:
    """The event, and those before it, are done; never backwards."""
    return Request("PUT", f"/v1/index/consumers/{_segment(consumer)}", answers.ConsumerOffset, {"event": event})


def licence(grant: int | None = None) -> Request[answers.LicenceFile]:
    return Request("POST", "/v1/sdk/licence", answers.LicenceFile, _given(grant=grant))


def fetch_key(key: str) -> Request[answers.SealedKey]:
    """Once ever: when the answer is lost, so is the key."""
    return Request("POST", f"/v1/sdk/keys/{_segment(key)}/download", answers.SealedKey, repeatable=False)


def rekeying() -> Request[answers.Rekeying]:
    """How the re-keying of the province stands. Raises NotFound where there has never been one."""
    return Request("GET", "/v1/keys/rekeying", answers.Rekeying)


def authority() -> Request[answers.AuthorityKeys]:
    return Request("GET", "/v1/sdk/authority", answers.AuthorityKeys, signed=False)


def physical_card(number: str, *, local: bool = False) -> Request[answers.PhysicalCard]:
    """By the number of the card (卡号). local: ask no other registry."""
    return Request("POST", f"{_PHYSICAL}/find", answers.PhysicalCard, {"number": number, "local": local})


def physical_card_history(number: str) -> Request[answers.PhysicalCardHistory]:
    return Request("POST", f"{_PHYSICAL}/history", answers.PhysicalCardHistory, {"number": number})


def physical_cards_of(card_id: str) -> Request[answers.PhysicalCards]:
    """card_id: of the holder's electronic card."""
    return Request("GET", f"/v1/cards/{_segment(card_id)}/physical-cards", answers.PhysicalCards)


def register_physical_card(
    number: str, issuer: str, holder: tuple[str, str, str], state: str, chip: str = ""
) -> Request[answers.EnteredPhysicalCard]:
    """holder: id_type, id_number, name."""
    person = dict(zip(("id_type", "id_number", "name"), holder, strict=True))
    body = {"number": number, "issuer": issuer, "state": state, "chip": chip, **person}
    return Request("POST", _PHYSICAL, answers.EnteredPhysicalCard, body)


def change_physical_card(number: str, state: str, reason: str) -> Request[answers.EnteredPhysicalCard]:
    """Not sent again when nobody knows what became of it: the second one would be a Conflict."""
    body = {"number": number, "state": state, "reason": reason}
    return Request("POST", f"{_PHYSICAL}/state", answers.EnteredPhysicalCard, body, repeatable=False)


def registry_feed(after: str = "", limit: int = 1000) -> Request[answers.RegistryFeed]:
    """after: `next` of the page before."""
    return Request("GET", f"{_PHYSICAL}/feed?after={_segment(after)}&limit={limit}", answers.RegistryFeed)


def push_to_registry(registry: str, cards: Sequence[Mapping[str, Any]]) -> Request[answers.PushedRulings]:
    """registry: who sends. cards: members of answers.CardRecord; at most 1,000."""
    return Request("POST", f"{_PHYSICAL}/feed", answers.PushedRulings, {"registry": registry, "cards": cards})


def registry_digest(after: str = "", limit: int = 8192) -> Request[answers.CardsDigest]:
    return Request("GET", f"{_PHYSICAL}/digest?after={_segment(after)}&limit={limit}", answers.CardsDigest)


def registry_range(after: str, until: str, limit: int = 1000) -> Request[answers.CardRange]:
    query = f"after={_segment(after)}&until={_segment(until)}&limit={limit}"
    return Request("GET", f"{_PHYSICAL}/range?{query}", answers.CardRange)


_PHYSICAL = "/v1/physical-cards"
