"""Identity domains (标识域): who assigns which numbers, and what it proves when two records bear the same one.

strong     the same value, written soundly, means the same person
single     a person has one for life: two different values are two persons
id_type    证件类型 whose rule the value follows (cards/identity.py); none: trimmed, ASCII, upper case
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ehc.cards.identity import normalise_id_number
from ehc.errors import Conflict, IdentityError, InputError, NotFound
from ehc.model import IdType

CODE = re.compile(r"[a-z0-9][A-Za-z0-9._/-]{0,63}")
VALUE_CHARACTERS = 64
_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")
_ASCII_FORMS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


@dataclass(frozen=True, slots=True)
class Domain:
    """One identity domain. system: the URI that FHIR names it by."""

    code: str
    name: str
    authority: str  # 发证机构
    system: str
    strong: bool = False
    single: bool = False
    id_type: str = ""
    registered_at: int = 0  # seconds since 1970


def _national(code: str, name: str, authority: str, id_type: str = "", *, single: bool = False) -> Domain:
    return Domain(code, name, authority, f"urn:ehc:domain:{code}", True, single, id_type)


RESIDENT_ID = "resident-id"
BIRTH = "birth"
MINDEX = "mindex"
CARD_ID = "card-id"
ACCOUNT = "account"
INTERNAL = frozenset({MINDEX, ACCOUNT})
"""Their numbers are shown to nobody outside."""
NATIONAL: tuple[Domain, ...] = (
    _national(RESIDENT_ID, "居民身份证", "公安部", IdType.RESIDENT_ID, single=True),
    _national("household-register", "户口簿", "公安部", IdType.HOUSEHOLD_REGISTER),
    _national("passport", "护照", "国家移民管理局", IdType.PASSPORT),
    _national("officer", "军官证", "中央军委政治工作部", IdType.OFFICER),
    _national("driving-licence", "驾驶证", "公安部", IdType.DRIVING_LICENCE),
    _national("hong-kong-macao", "港澳通行证", "国家移民管理局", IdType.HONG_KONG_MACAO),
    _national("taiwan", "台湾通行证", "国家移民管理局", IdType.TAIWAN),
    _national("birth-certificate", "出生医学证明", "国家卫生健康委", IdType.BIRTH_CERTIFICATE),
    _national("returned-overseas-chinese", "归国华侨证", "国务院侨务办公室"),
    _national("social-security", "社保卡", "人力资源和社会保障部"),
    _national("health-card", "居民健康卡", "国家卫生健康委"),
    _national(CARD_ID, "电子健康卡ID", "国家卫生健康委"),
    _national(MINDEX, "主索引ID", "国家卫生健康委"),
    _national(BIRTH, "母亲证件与出生次序", "ehc"),
    Domain(ACCOUNT, "电子健康卡账户", "ehc", f"urn:ehc:domain:{ACCOUNT}"),
)
"""What every index begins with; the domains of systems and institutions are registered (`Domains.add`)."""

DOCUMENT_DOMAINS = {domain.id_type: domain.code for domain in NATIONAL if domain.id_type}
"""证件类型 -> domain."""


def visit_card(institution: str, name: str, now: int) -> Domain:
    """就诊卡 of one institution: says nothing about the records of others."""
    code = f"visit-card/{institution}"
    return new_domain(code, f"{name}就诊卡", institution, f"urn:ehc:domain:{code}", now=now)


def new_domain(
    code: str, name: str, authority: str, system: str = "", *, strong: bool = False, single: bool = False, now: int = 0
) -> Domain:
    """Raises InputError that says which part is wrong."""
    if not CODE.fullmatch(code):
        raise InputError("domain: a code has 1 to 64 letters, digits and . _ / -, a lower-case letter or digit first")
    for field, text in (("name", name), ("authority", authority)):
        if not 1 <= len(text) <= 100 or not text.isprintable():
            raise InputError(f"{field}: 1 to 100 characters that can be seen")
    system = system or f"urn:ehc:domain:{code}"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,200}", system):
        raise InputError("system: a URI, such as urn:oid:2.16.156.10011.1.3")
    return Domain(code, name, authority, system, strong, single, "", now)


def _is_plain(domain: Domain) -> bool:
    return domain.id_type in {"", IdType.RESIDENT_ID} and domain.code != MINDEX


class Domains:
    """The domains that there are, by code and by URI."""

    def __init__(self, registered: Iterable[Domain] = ()) -> None:
        self._by_code = {one.code: one for one in (*NATIONAL, *registered)}
        self._by_system = {one.system: one for one in self._by_code.values()}
        self.single = frozenset(code for code, one in self._by_code.items() if one.single)
        self.plain = {code: one.id_type == IdType.RESIDENT_ID for code, one in self._by_code.items() if _is_plain(one)}
        """Those of which crypto.record_rows knows the form of a number: whether it is a resident id's, or any."""

    def __iter__(self) -> Iterator[Domain]:
        return iter(self._by_code.values())

    def __contains__(self, code: str) -> bool:
        return code in self._by_code

    def get(self, code: str) -> Domain:
        """Raises NotFound that says what to do."""
        found = self._by_code.get(code)
        if found is None:
            raise NotFound(f"no identity domain {code}: register it first (ehc index domain add)")
        return found

    def of_system(self, system: str) -> Domain:
        """Raises NotFound."""
        found = self._by_system.get(system)
        if found is None:
            raise NotFound("no identity domain has this system")
        return found

    def require_new(self, domain: Domain) -> None:
        """A code and a URI mean one domain for ever."""
        if domain.code in self._by_code or domain.system in self._by_system:
            raise Conflict(f"there is an identity domain with the code or the system of {domain.code}")


def sound_value(domain: Domain, text: str) -> tuple[str, bool]:
    """The one form of a value, and whether its check characters hold. An unsound one is kept, and proves nothing.

    Raises InputError for what no domain's value is.
    """
    if domain.id_type:
        try:
            return normalise_id_number(domain.id_type, text), True
        except IdentityError:
            return plain_value(domain.code, text), False
    return plain_value(domain.code, text), True


def plain_value(code: str, text: str) -> str:
    if text.isascii() and text.isalnum() and len(text) <= VALUE_CHARACTERS:
        return text.upper()
    value = text.strip().translate(_ASCII_FORMS).upper()
    if len(value) > VALUE_CHARACTERS or not _VALUE.fullmatch(value):
        raise InputError(f"identifier of {code}: 1 to {VALUE_CHARACTERS} ASCII characters that can be seen")
    return value
