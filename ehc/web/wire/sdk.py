"""SDKs, apps that sign their requests, their grants, keys and licences (SDK授权管理)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ehc.sdkauth.app import AppState
from ehc.sdkauth.sdk import SdkState
from ehc.web.wire.base import Body, Hex32, Hex64, Place

Why = Annotated[str, Meta(min_length=2, max_length=200, description="why; kept")]
Version = Annotated[str, Meta(max_length=64, description="semantic version, such as 1.4.0")]
Rate = Annotated[int, Meta(ge=1, le=1 << 30)]
Places = Annotated[list[Place], Meta(min_length=1, max_length=1000)]
Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=1, le=1 << 50)]


class NewSdk(Body, frozen=True):
    name: Annotated[str, Meta(max_length=64)]
    version: Version
    platform: Annotated[str, Meta(max_length=32, description="such as android, ios, java, python")]
    note: Annotated[str, Meta(max_length=200)] = ""


class SdkMove(Body, frozen=True):
    state: SdkState
    reason: Why


class SdkRelease(Struct, frozen=True):
    name: str
    version: str
    platform: str
    state: SdkState
    created_at: datetime
    note: str
    size: Annotated[int | None, Meta(description="bytes of the file; null: there is none yet")]
    digest: Annotated[str | None, Meta(description="SM3 of the file, hex")]
    signature: Annotated[str | None, Meta(description="SM2 of this system, r and s in hex, once published")]
    signed_by: Annotated[int | None, Meta(description="version of the key, as /v1/sdk/authority lists them")]


class SdkReleases(Struct, frozen=True):
    sdks: list[SdkRelease]


class NewApp(Body, frozen=True):
    """An app; or, with kind `system`, another system that connects by an SDK: without package and certificate."""

    name: Annotated[str, Meta(max_length=64, description="its app id; unique for ever")]
    owner: Annotated[str, Meta(max_length=100, description="who answers for it")]
    kind: Literal["app", "system"] = "app"
    package: Annotated[str, Meta(max_length=128)] = ""
    certificate: Annotated[Hex32 | None, Meta(description="digest of its signing certificate, SM3 or SHA-256")] = None
    public_key: Annotated[Hex64 | None, Meta(description="SM2: what it downloads is sealed to it")] = None
    report: Annotated[str, Meta(max_length=200, description="number of the third party's test report")] = ""
    sandbox: Annotated[bool, Meta(description="acts on invented people alone, from its first day")] = False
    rate: Annotated[Rate | None, Meta(description="requests a second")] = None


class AppChange(Body, frozen=True):
    """What is not there stays."""

    report: Annotated[str, Meta(max_length=200)] | None = None
    public_key: Hex64 | None = None


class AppMove(Body, frozen=True):
    state: AppState
    reason: Why


class SdkApp(Struct, frozen=True):
    name: str
    owner: str
    kind: Literal["app", "system"]
    package: str
    certificate: str | None
    public_key: str | None
    report: str
    sandbox: bool
    state: AppState
    rate: int | None
    registered_at: datetime


class SdkApps(Struct, frozen=True):
    apps: list[SdkApp]


class GrantQuota(Body, frozen=True):
    requests: Count
    period: Annotated[Literal["day", "month", "whole"], Meta(description="of China's clock; whole: in all")] = "day"


class NewGrant(Body, frozen=True):
    sdk: Annotated[str, Meta(max_length=64, description="name of an SDK; * for all")]
    scopes: Annotated[list[str], Meta(min_length=1, max_length=32)]
    ends_at: Annotated[datetime, Meta(tz=True, description="from then on it is over")]
    versions: Annotated[str, Meta(max_length=100, description="* or comparators, such as >=1.2.0 <2.0.0")] = "*"
    institutions: Annotated[Places | None, Meta(description="null: whichever")] = None
    begins_at: Annotated[Moment | None, Meta(description="null: now")] = None
    quota: GrantQuota | None = None


class AppGrant(Struct, frozen=True):
    number: int
    app: str
    sdk: str
    versions: str
    scopes: list[str]
    institutions: list[str] | None
    begins_at: datetime
    ends_at: datetime
    quota: GrantQuota | None
    used: Annotated[int | None, Meta(description="requests of this period; null: no quota")]
    revoked_at: datetime | None


class AppGrants(Struct, frozen=True):
    grants: list[AppGrant]


class NewKey(Body, frozen=True):
    kind: Annotated[
        Literal["hmac", "sm2"],
        Meta(description="hmac: made here, downloaded once; sm2: the app's own, whose public key comes here"),
    ]
    public_key: Annotated[Hex64 | None, Meta(description="of kind sm2")] = None


class KeyEnd(Body, frozen=True):
    after: Annotated[int, Meta(ge=0, le=31_536_000, description="seconds from now")] = 0


class AppKeyInfo(Struct, frozen=True):
    """Never its secret."""

    key: Annotated[str, Meta(description="keyid of what it signs")]
    app: str
    kind: Literal["hmac", "sm2", "legacy"]
    created_at: datetime
    ends_at: Annotated[datetime | None, Meta(description="null: not yet replaced")]
    fetched_at: Annotated[
        datetime | None, Meta(description="when it was downloaded; null: not yet, or nothing to download")
    ]


class AppKeys(Struct, frozen=True):
    keys: list[AppKeyInfo]


class SealedKey(Struct, frozen=True):
    key: str
    app: str
    sealed: Annotated[str, Meta(description="SM2 to the app's public key: C1 (x, y), C3, C2 in hex; 32 bytes in it")]


class LicenceRequest(Body, frozen=True):
    grant: Annotated[Count | None, Meta(description="null: the first one in force")] = None


class LicenceFile(Struct, frozen=True):
    licence: Annotated[str, Meta(description="the file's text")]
    sig: Annotated[str, Meta(description="△ the field's .sig: DER of an SM2 signature, upper-case hex")]
    ends_at: datetime


class AuthorityKey(Struct, frozen=True):
    version: int
    public_key: Annotated[str, Meta(description="SM2, x and y in hex")]


class AuthorityKeys(Struct, frozen=True):
    """What licences, releases and answers are checked with, newest first."""

    keys: list[AuthorityKey]


class SentRequest(Body, frozen=True):
    """A request as the app sent it."""

    method: Annotated[str, Meta(max_length=16)]
    url: Annotated[str, Meta(max_length=2048, description="absolute: @authority is signed too")]
    headers: Annotated[dict[str, Annotated[str, Meta(max_length=4096)]], Meta(max_length=64)]
    body: Annotated[str, Meta(max_length=32_768, description="its text")] = ""
    base: Annotated[
        Annotated[str, Meta(max_length=16_384)] | None,
        Meta(description="what the app signed: where it differs is shown"),
    ] = None


class DebugStep(Struct, frozen=True):
    step: Annotated[int, Meta(description="1 form, 2 key, 3 coverage, 4 time, 5 signature, 6 body")]
    name: str
    right: bool
    detail: str


class BaseDifference(Struct, frozen=True):
    line: Annotated[int, Meta(description="from 1")]
    column: Annotated[int, Meta(description="from 1")]
    ours: str
    theirs: str


class Explanation(Struct, frozen=True):
    """No part of it is secret, or made with a secret."""

    steps: list[DebugStep]
    base: Annotated[str | None, Meta(description="what should be signed; null: the headers do not say")]
    difference: BaseDifference | None
    hints: list[str]
