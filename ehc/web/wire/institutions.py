"""Institutions (医疗机构), departments, terminals, uses of cards (用卡数据), statistics."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from ehc.institutions.place import Channel
from ehc.institutions.records import BATCH
from ehc.institutions.register import PAGE
from ehc.institutions.use import Ruling
from ehc.web.wire.base import Body, Place, Scene

Region = Annotated[str, Meta(description="GB/T 2260, six digits")]
Kind = Annotated[str, Meta(description="class of WS 218: A, A100 …")]
ChannelCode = Annotated[Channel, Meta(description="终端类型: 01 人工窗口, 02 自助机, 99 其他")]


class NewInstitution(Body, frozen=True):
    code: str
    name: str
    region: Region
    kind: Kind


class InstitutionChange(Body, frozen=True):
    """What is not there stays."""

    name: str | UnsetType = UNSET
    region: Region | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class NewDepartment(Body, frozen=True):
    code: str
    name: str


class DepartmentChange(Body, frozen=True):
    """What is not there stays."""

    name: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class NewTerminal(Body, frozen=True):
    code: str
    channel: ChannelCode
    department: str | None = None


class TerminalChange(Body, frozen=True):
    """What is not there stays; a department of null is none."""

    channel: ChannelCode | UnsetType = UNSET
    department: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class Page(Body, frozen=True):
    after: Annotated[str, Meta(max_length=64, description="`next` of the page before")] = ""
    limit: Annotated[int, Meta(ge=1, le=PAGE)] = 100


class InstitutionsPage(Page, frozen=True):
    region: Annotated[str, Meta(pattern="^([0-9]{2}){0,3}$", description="two, four or six digits of GB/T 2260")] = ""


class Institution(Struct, frozen=True):
    code: str
    name: str
    region: Region
    kind: Kind
    registered_at: datetime
    disabled_at: Annotated[datetime | None, Meta(description="null: enabled")]


class Department(Struct, frozen=True):
    institution: str
    code: str
    name: str
    registered_at: datetime
    disabled_at: datetime | None


class Terminal(Struct, frozen=True):
    institution: str
    code: str
    channel: Channel
    department: str | None
    registered_at: datetime
    disabled_at: datetime | None
    last_seen: Annotated[datetime | None, Meta(description="null: never; a minute late at most")]
    clock_drift: Annotated[
        int | None, Meta(description="seconds its clock was ahead, by X-Client-Time; null: not said")
    ]


class Institutions(Struct, frozen=True):
    """By code. next: where the next page begins; null: this is the last."""

    institutions: list[Institution]
    next: str | None


class Departments(Struct, frozen=True):
    departments: list[Department]
    next: str | None


class Terminals(Struct, frozen=True):
    terminals: list[Terminal]
    next: str | None


class UseReport(Body, frozen=True):
    """A use of a card. Nothing but types is checked before its ruling: a bad row spoils no other."""

    record_id: Annotated[str, Meta(description="the institution's own; the same one again is a duplicate, no error")]
    used_at: Annotated[str, Meta(description="RFC 3339 with its zone")]
    scene: Annotated[str, Meta(description="诊疗环节, six digits")]
    outcome: Annotated[str, Meta(description="served, refused (code or card not accepted), failed (something broke)")]
    card_id: Annotated[str | None, Meta(description="this or code")] = None
    code: Annotated[str | None, Meta(description="the text that was scanned")] = None
    department: str | None = None
    terminal: str | None = None


class UseUpload(UseReport, frozen=True):
    institution: Annotated[Place | None, Meta(description="not needed from a caller who speaks for one")] = None


class UseBatch(Body, frozen=True):
    records: Annotated[list[UseReport], Meta(min_length=1, max_length=BATCH)]
    institution: Annotated[Place | None, Meta(description="not needed from a caller who speaks for one")] = None


class UseRuling(Struct, frozen=True):
    record_id: str
    ruling: Annotated[Ruling, Meta(description="kept and duplicate: it is stored; all others: it is not")]
    detail: str


class UseRulings(Struct, frozen=True):
    """Row for row as they came."""

    records: list[UseRuling]
    kept: Annotated[int, Meta(description="rows that were kept by this call")]
    refused: Annotated[int, Meta(description="rows that are not stored")]


class StatisticsQuery(Body, frozen=True):
    since: Annotated[datetime, Meta(tz=True, description="a whole hour")]
    until: Annotated[datetime, Meta(tz=True, description="a whole hour, no longer counted; at most 366 days later")]
    by: Annotated[
        str,
        Meta(
            max_length=100,
            description="of province, city, region, institution, scene, outcome, day, hour; commas between",
        ),
    ] = ""
    region: Annotated[str, Meta(pattern="^([0-9]{2}){1,3}$", description="two, four or six digits")] | None = None
    institution: Place | None = None
    scene: Scene | None = None


class UseCount(Struct, frozen=True, omit_defaults=True):
    """Only what was asked for by `by` is there."""

    count: int
    province: str | None = None
    city: str | None = None
    region: str | None = None
    institution: str | None = None
    scene: str | None = None
    outcome: str | None = None
    day: Annotated[datetime | None, Meta(description="its beginning, in China")] = None
    hour: Annotated[datetime | None, Meta(description="its beginning")] = None


class UseStatistics(Struct, frozen=True):
    """Uses that are stored. A region's are those of the institutions which are in it now."""

    counts: list[UseCount]
