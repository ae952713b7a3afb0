"""What family A sends: the envelope, and the body of each method. Members that are not named here are taken and not
kept: apps send photos, marital status and more, which no account holds. A member of null is one that is not there.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from ehc.institutions.records import BATCH
from ehc.web.wire.base import Body, CardId, Place, Scene

Sealed = Annotated[str, Meta(max_length=2048, description="SM4/ECB/ZeroBytePadding under the app's secret, hex")]
Sign = Annotated[str, Meta(max_length=64, description="hex")]


class Request(Body, frozen=True, rename="camel", forbid_unknown_fields=False, kw_only=True):
    """headSign is over those of appId, nonceStr, orgCode, timestamp and version that are there; bodySign over body."""

    app_id: Annotated[str, Meta(max_length=64)]
    org_code: str | None = None
    timestamp: Annotated[int | str, Meta(description="seconds since 1970; as they are, or encrypted as a field is")]
    nonce_str: Annotated[str, Meta(max_length=256)]
    version: str
    method: str
    head_sign: Sign
    body_sign: Sign
    sign_mode: Annotated[str, Meta(description="SM3, or MD5 where the deployment allows it")] = "SM3"
    encrypt_mode: Annotated[str, Meta(description="SM4/ECB/ZeroBytePadding")] = "SM4/ECB/ZeroBytePadding"
    signature: Annotated[str | None, Meta(description="△ taken and not looked at")] = None
    body: dict[str, Any]


class Answer(Struct, frozen=True, rename="camel"):
    return_code: Annotated[str, Meta(description="0: success")]
    return_desc: str
    sign_string: Annotated[str, Meta(description="over datas, as bodySign; empty where the app is not known")]
    timestamp: str
    datas: dict[str, Any]


class Asked(Struct, frozen=True, rename="camel", kw_only=True):
    """Of every method."""

    org_code: Place | None = None


class Known(Asked, frozen=True, rename="camel", kw_only=True):
    """What may be known of a person beside the document."""

    sex: str | None = None
    nation: str | None = None
    birthday: Annotated[str | None, Meta(description="YYYYMMDD or YYYY-MM-DD")] = None
    phone: Sealed | None = None
    linkman: Sealed | None = None
    telephone: Sealed | None = None
    address: str | None = None


class Person(Known, frozen=True, rename="camel", kw_only=True):
    """createVmcardQRcode."""

    name: Sealed
    id_card_type_code: str = "01"
    id_code: Sealed | None = None
    personnel_type: Annotated[str, Meta(pattern="^[12]$", description="2: a child without a document")] = "1"
    multpriple_births: Annotated[str, Meta(pattern="^[1-9]?$", description="of a child: its birth order")] = ""
    mother_id_card_type_code: Annotated[str, Meta(description="△")] = "01"
    mother_id_code: Sealed | None = None


class Modified(Known, frozen=True, rename="camel", kw_only=True):
    """modifyVmcardInfo."""

    erhc_card_no: CardId


class Document(Asked, frozen=True, rename="camel", kw_only=True):
    """queryIfHasRegistered, activateVmcardQRcode."""

    id_card_type_code: str
    id_code: Sealed


class Named(Asked, frozen=True, rename="camel", kw_only=True):
    """getPersonInfo: by card or by document."""

    erhc_card_no: CardId | None = None
    id_card_type_code: str | None = None
    id_code: Sealed | None = None


class OfCard(Asked, frozen=True, rename="camel", kw_only=True):
    """getActiveQrCode."""

    erhc_card_no: CardId


class Shown(Asked, frozen=True, rename="camel", kw_only=True):
    """getPersonInfoByQrCode."""

    qr_code: Annotated[str, Meta(max_length=4096)]
    med_step_code: Scene
    terminal_code: Place | None = None


class Exchanged(Document, frozen=True, rename="camel", kw_only=True):
    """exchangeChild △: the child's card, and its own document."""

    erhc_card_no: CardId
    name: Sealed


class PayInfo(Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """△ One use of a card at payment. Amounts belong to the payments system, which is not here: a row with one is
    refused, not taken and lost."""

    pay_no: str
    pay_time: Annotated[str, Meta(pattern="^[0-9]{14}$", description="YYYYMMDDHHMMSS, China Standard Time")]
    erhc_card_no: str | None = None
    qr_code: str | None = None
    med_step_code: str = "010105"
    dept_code: str | None = None
    terminal_code: str | None = None


class PayInfos(Asked, frozen=True, rename="camel", kw_only=True):
    """batchUploadPayInfo △."""

    pay_infos: Annotated[list[PayInfo], Meta(min_length=1, max_length=BATCH)]
