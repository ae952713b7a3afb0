"""What pages take: forms and what stands after a question mark. An unknown field is refused, as in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ehc.web.wire.base import Body

Text = Annotated[str, Meta(max_length=256)]
Word = Annotated[str, Meta(max_length=64)]
Code = Annotated[str, Meta(max_length=16)]
Date = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Done(Body, frozen=True):
    """What a redirection says was done."""

    done: Word = ""


class SignIn(Body, frozen=True):
    name: Text = ""
    password: Annotated[str, Meta(max_length=1024)] = ""
    code: Code = ""


class Typing(Body, frozen=True):
    """shown: passwords are seen while they are typed."""

    shown: Literal["", "yes"] = ""


class NewFactor(Body, frozen=True):
    """sealed: what `new_factor` showed."""

    sealed: Annotated[str, Meta(pattern="^([0-9a-f]{2}){30,128}$")]
    code: Code = ""


class OldFactor(Body, frozen=True):
    code: Code = ""


class NewPassword(Body, frozen=True):
    old: Annotated[str, Meta(max_length=1024)] = ""
    new: Annotated[str, Meta(max_length=1024)] = ""
    again: Annotated[str, Meta(max_length=1024)] = ""


class OldSession(Body, frozen=True):
    """session: the handle of one; empty: all but this one. code: of who has a second factor."""

    session: Annotated[str, Meta(pattern="^([0-9a-f]{16})?$")] = ""
    password: Annotated[str, Meta(max_length=1024)] = ""
    code: Code = ""


class Language(Body, frozen=True):
    language: Literal["zh", "en"]
    back: Annotated[str, Meta(max_length=512)] = ""


class Search(Body, frozen=True):
    by: Literal["document", "card_id", "phone"]
    purpose: Text = ""
    id_type: Annotated[str, Meta(max_length=2)] = "01"
    value: Annotated[str, Meta(max_length=160)] = ""


class PhysicalSearch(Body, frozen=True):
    number: Word = ""
    purpose: Text = ""


class Purpose(Body, frozen=True):
    purpose: Text = ""


class StateChange(Body, frozen=True):
    change: Literal["suspend", "resume", "cancel", "restore", "revoke_codes"]
    reason: Annotated[str, Meta(max_length=512)] = ""


class CodeKind(Body, frozen=True):
    kind: Literal["static", "dynamic"]


class Shown(Body, frozen=True):
    payload: Annotated[str, Meta(max_length=256)]


class InstitutionsPage(Body, frozen=True):
    region: Annotated[str, Meta(max_length=6)] = ""
    after: Word = ""


class InstitutionPage(Body, frozen=True):
    departments_after: Word = ""
    terminals_after: Word = ""
    done: Word = ""


class PlaceSwitch(Body, frozen=True):
    part: Literal["institution", "department", "terminal"]
    code: Word
    enabled: Literal["yes", "no"]


class Period(Body, frozen=True):
    since: Date | None = None
    until: Date | None = None
    region: Annotated[str, Meta(max_length=6)] = ""
    institution: Word = ""
    scene: Annotated[str, Meta(max_length=6)] = ""


class IndexSearch(Body, frozen=True):
    by: Literal["number", "person"]
    purpose: Text = ""
    domain: Word = "resident-id"
    value: Word = ""
    name: Annotated[str, Meta(max_length=100)] = ""
    birth_date: Annotated[str, Meta(pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""
    phone: Annotated[str, Meta(max_length=32)] = ""


class ReviewsPage(Body, frozen=True):
    after: Annotated[int, Meta(ge=0, le=(1 << 53) - 1)] = 0
    closed: Literal["", "yes"] = ""
    done: Word = ""


class ReviewAct(Body, frozen=True):
    act: Literal["claim", "same", "different"]
    reason: Annotated[str, Meta(max_length=512)] = ""


class LooksPage(Body, frozen=True):
    card_id: Annotated[str, Meta(max_length=128)] = ""
    before: int | None = None


class DeedsPage(Body, frozen=True):
    operator: Annotated[str, Meta(max_length=32)] = ""
    before: int | None = None


class NewCaller(Body, frozen=True):
    name: Word = ""
    scopes: Text = ""
    institution: Word = ""
    rate: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


class OfCaller(Body, frozen=True):
    name: Word
    act: Literal["rotate", "revoke"]


class OfApp(Body, frozen=True):
    name: Word
    to: Literal["draft", "review", "approved", "suspended", "revoked"]
    reason: Annotated[str, Meta(max_length=256)]


class OfSdk(Body, frozen=True):
    sdk: Annotated[str, Meta(max_length=200)]  # as X-Sdk has it
    to: Literal["draft", "review", "published", "deprecated", "revoked"]
    reason: Annotated[str, Meta(max_length=256)]


class OfGrant(Body, frozen=True):
    name: Word
    number: Annotated[int, Meta(ge=1, le=(1 << 53) - 1)]
    reason: Annotated[str, Meta(max_length=256)]


class NewOperator(Body, frozen=True):
    name: Annotated[str, Meta(max_length=32)]
    role: Literal["system", "security", "audit"]


class OfOperator(Body, frozen=True):
    name: Annotated[str, Meta(max_length=32)]
    act: Literal["password", "unbind", "enable", "disable"]
