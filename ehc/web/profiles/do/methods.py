"""The nine methods of family A, each one call into a system that the rest of the service has too."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool

from ehc.access.caller import Scope
from ehc.cards.accounts import UNKNOWN, Act
from ehc.codes import draw
from ehc.codes.verification import Verification
from ehc.errors import InputError, NotFound, Unavailable
from ehc.institutions.use import Outcome, Report
from ehc.model import CST, AccountState, Card, Identity
from ehc.sdkauth.family_a import Fields
from ehc.web.endpoint import Call
from ehc.web.handlers.records import ROWS_A_REQUEST
from ehc.web.handlers.verify import check, note
from ehc.web.profiles.do import wire
from ehc.web.profiles.do.codes import Failure
from ehc.web.render.verify import LOOK_ALIKE
from ehc.web.wire.verify import VerifyRequest

Datas = dict[str, Any]

_DETAILS = {
    "sex": "sex",
    "nation": "ethnicity",
    "birthday": "birth_date",
    "phone": "phone",
    "linkman": "contact_name",
    "telephone": "contact_phone",
    "address": "address",
}
"""Their name -> ours (cards.account.DETAILS)."""

_SEALED = ("phone", "linkman", "telephone")


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of an app that may make it."""

    call: Call
    fields: Fields

    @property
    def act(self) -> Act:
        return Act(self.call.services.clock(), self.call.caller.name, f"/api/do {self.call.operation}")

    @property
    def plain(self) -> bool:
        """The app may see people's data in full; every look is recorded."""
        return Scope.ACCOUNTS_PLAIN in self.call.caller.scopes

    def opened(self, name: str, sealed: str | None) -> str:
        """Empty for one that is not there."""
        return self.fields.unseal(name, sealed) if sealed else ""

    def card(self, card: Card, *, knows: bool) -> Datas:
        """knows: the app has sent, or may see, the name and number that the master index is a digest of."""
        shown = knows and self.call.services.settings.do_empi == "mindex"
        return {"erhcCardNo": card.card_id, "empi": card.mindex.hex().upper() if shown else ""}

    async def qr(self, payload: str) -> str:
        if self.call.services.settings.do_qr == "text":
            return payload
        return base64.b64encode(await run_in_threadpool(draw.png, payload)).decode()

    async def static_code(self, card: Card) -> str:
        services = self.call.services
        return await self.qr((await services.issuer.static(card.card_id, services.clock())).payload)

    async def find(self, id_type: str, sealed_number: str) -> Card:
        """Raises NotFound, also where the card is cancelled: registering restores it."""
        accounts, number = self.call.services.accounts, self.opened("idCode", sealed_number)
        return await run_in_threadpool(lambda: self._living(accounts.card_of_document(id_type, number)))

    async def find_card(self, card_id: str) -> Card:
        """Raises NotFound as find."""
        return await run_in_threadpool(lambda: self._living(self.call.services.accounts.card(card_id)))

    def _living(self, card: Card) -> Card:
        found = self.call.services.accounts.merged_into(card) or card
        if found.state is AccountState.CANCELLED:
            raise NotFound(UNKNOWN)
        return found

    def details(self, body: wire.Known) -> dict[str, str]:
        """What is said of the person, under our names."""
        said: dict[str, str] = {}
        for theirs, ours in _DETAILS.items():
            given = getattr(body, theirs)
            if given:
                said[ours] = self.opened(theirs, given) if theirs in _SEALED else given
        if "birth_date" in said:
            said["birth_date"] = _day(said["birth_date"]).isoformat()
        return said


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("birthday: YYYYMMDD or YYYY-MM-DD") from None


async def create(turn: Turn, body: wire.Person) -> Datas:
    register = _child if body.personnel_type == "2" else _person
    card = await run_in_threadpool(register, turn, body)
    return turn.card(card, knows=True) | {"qrCode": await turn.static_code(card)}


def _person(turn: Turn, body: wire.Person) -> Card:
    if body.id_code is None:
        raise InputError("idCode: needed; a child without a document has personnelType 2")
    identity = Identity(body.id_card_type_code, turn.opened("idCode", body.id_code), turn.opened("name", body.name))
    now, by, _ = turn.act
    found = turn.call.services.registrar.register(identity, now, by, turn.details(body))
    assert found.card is not None  # noqa: S101  a registrar raises Conflict where there is none to show
    return found.card


def _child(turn: Turn, body: wire.Person) -> Card:
    if not (body.mother_id_code and body.birthday):
        raise InputError("motherIdCode, birthday: needed for a child without a document")
    services = turn.call.services
    number = turn.opened("motherIdCode", body.mother_id_code)
    guardian = services.accounts.card_of_document(body.mother_id_card_type_code, number)
    particulars = (turn.opened("name", body.name), _day(body.birthday), int(body.multpriple_births or "1"))
    now, by, _ = turn.act
    found = services.registrar.register_child(guardian, *particulars, now, by, turn.details(body))
    assert found.card is not None  # noqa: S101  as above
    return found.card


async def modify(turn: Turn, body: wire.Modified) -> Datas:
    card, (now, by, _) = await turn.find_card(body.erhc_card_no), turn.act
    changed = await run_in_threadpool(turn.call.services.accounts.modify, card, turn.details(body), now, by)
    return turn.card(changed, knows=False)


async def person_info(turn: Turn, body: wire.Named) -> Datas:
    try:
        if body.erhc_card_no is not None:
            card = await turn.find_card(body.erhc_card_no)
        elif body.id_card_type_code is not None and body.id_code is not None:
            card = await turn.find(body.id_card_type_code, body.id_code)
        else:
            raise InputError("give erhcCardNo, or idCardTypeCode and idCode")
    except NotFound:
        if turn.plain:
            await turn.call.look(None)
        raise
    return await _shown(turn, card)


async def _shown(turn: Turn, card: Card) -> Datas:
    """Of an app without accounts:plain the name masked, and nothing else of the person."""
    person, seal = card.identity, turn.fields.seal
    if not turn.plain:
        return turn.card(card, knows=False) | {"name": seal(person.masked_name())}
    await turn.call.look(card.account)
    details = await run_in_threadpool(turn.call.services.accounts.details, card)
    named = {"name": seal(person.name), "idCardTypeCode": person.id_type, "idCode": seal(person.id_number)}
    return turn.card(card, knows=True) | named | _theirs(details, seal)


def _theirs(details: Mapping[str, str], seal: Callable[[str], str]) -> Datas:
    known = {theirs: details[ours] for theirs, ours in _DETAILS.items() if details.get(ours)}
    if "birthday" in known:
        known["birthday"] = known["birthday"].replace("-", "")
    return {name: seal(value) if name in _SEALED else value for name, value in known.items()}


async def active_code(turn: Turn, body: wire.OfCard) -> Datas:
    services, card = turn.call.services, await turn.find_card(body.erhc_card_no)
    code = await services.issuer.dynamic(card.card_id, services.clock())
    return turn.card(card, knows=False) | {"qrCode": await turn.qr(code.payload)}


async def person_of_code(turn: Turn, body: wire.Shown) -> Datas:
    call = turn.call
    shown = VerifyRequest(body.qr_code, body.med_step_code, institution=body.org_code, terminal=body.terminal_code)
    checked = check(call, shown)
    found = checked if isinstance(checked, Verification) else await checked
    if found.degraded:  # this interface has no word for it
        raise Unavailable("whether this code was issued and is not revoked cannot be asked now")
    note(call, found.verdict, shown)
    if not found.verdict.accepted or found.card is None:
        hidden = found.verdict.reason in LOOK_ALIKE and not call.services.settings.explain_refusals
        raise Failure("refused", "" if hidden else found.verdict.reason.value)
    return await _shown(turn, await run_in_threadpool(call.services.accounts.card_of_account, found.card.account))


async def has_registered(turn: Turn, body: wire.Document) -> Datas:
    try:
        await turn.find(body.id_card_type_code, body.id_code)
    except NotFound:
        return {"parameters": 0, "remarks": "未注册"}
    return {"parameters": 1, "remarks": "已注册"}


async def activate(turn: Turn, body: wire.Document) -> Datas:
    card = await turn.find(body.id_card_type_code, body.id_code)
    return turn.card(card, knows=False) | {"qrCode": await turn.static_code(card)}


async def exchange(turn: Turn, body: wire.Exchanged) -> Datas:
    card = await turn.find_card(body.erhc_card_no)
    new = Identity(body.id_card_type_code, turn.opened("idCode", body.id_code), turn.opened("name", body.name))
    changed = await run_in_threadpool(turn.call.services.accounts.exchange, card, new, turn.act)
    return turn.card(changed, knows=True) | {"qrCode": await turn.static_code(changed)}


async def upload_payments(turn: Turn, body: wire.PayInfos) -> Datas:
    call = turn.call
    institution = call.institution(body.org_code)
    if institution is None:
        raise InputError("orgCode: say whose records these are")
    call.cost = 1 + len(body.pay_infos) // ROWS_A_REQUEST
    reports = [_report(one) for one in body.pay_infos]
    ruled = await run_in_threadpool(call.services.records.upload, institution, reports, call.services.clock())
    return {"results": [{"payNo": one.record_id, "ruling": one.ruling.value, "detail": one.detail} for one in ruled]}


def _report(row: wire.PayInfo) -> Report:
    try:
        at = datetime.strptime(row.pay_time, "%Y%m%d%H%M%S").replace(tzinfo=CST).isoformat()
    except ValueError:
        at = row.pay_time  # no time at all: ruled on as any other
    served, where = Outcome.SERVED.value, (row.dept_code, row.terminal_code)
    return Report(row.pay_no, at, row.med_step_code, served, row.erhc_card_no, row.qr_code, *where)


@dataclass(frozen=True, slots=True)
class Method:
    body: type[wire.Asked]
    scope: Scope
    answer: Callable[[Turn, Any], Awaitable[Datas]]


METHODS = {
    "createVmcardQRcode": Method(wire.Person, Scope.REGISTER, create),
    "modifyVmcardInfo": Method(wire.Modified, Scope.ACCOUNTS_WRITE, modify),
    "getPersonInfo": Method(wire.Named, Scope.ACCOUNTS_READ, person_info),
    "getActiveQrCode": Method(wire.OfCard, Scope.CODES, active_code),
    "getPersonInfoByQrCode": Method(wire.Shown, Scope.VERIFY, person_of_code),
    "queryIfHasRegistered": Method(wire.Document, Scope.ACCOUNTS_READ, has_registered),
    "activateVmcardQRcode": Method(wire.Document, Scope.CODES, activate),
    "exchangeChild": Method(wire.Exchanged, Scope.ACCOUNTS_WRITE, exchange),
    "batchUploadPayInfo": Method(wire.PayInfos, Scope.RECORDS_WRITE, upload_payments),
}
