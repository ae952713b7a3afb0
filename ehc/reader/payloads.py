"""What a text is, whoever read it (camera, wedge, serial line): a health card of any profile, or whose code it is
instead, with a sentence for the clerk in both languages. No content stands in a sentence: a payment code is money."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from ehc.crypto import parse_compact, parse_payload
from ehc.crypto.signed import check_signed
from ehc.errors import PayloadError
from ehc.model import Payload, Profile, Reason


class What(enum.StrEnum):
    """Whose code a text is."""

    HEALTH_CARD = "health_card"  # 电子健康卡
    INSURANCE = "insurance"  # 医保电子凭证
    WECHAT_PAY = "wechat_pay"  # 微信付款码
    ALIPAY = "alipay"  # 支付宝付款码
    UNIONPAY = "unionpay"  # 银联付款码
    RESIDENT_ID = "resident_id"  # 身份证号
    URL = "url"  # 网址
    HOSPITAL_CARD = "hospital_card"  # 院内就诊卡
    MEDICINE = "medicine"  # 药品追溯码
    PRODUCT = "product"  # 商品条码
    DAMAGED = "damaged"  # begins like a health card and is none
    EMPTY = "empty"
    OTHER = "other"


class Sentence(NamedTuple):
    zh: str
    en: str


SENTENCES: dict[What, Sentence] = {
    What.HEALTH_CARD: Sentence("电子健康卡", "Electronic health card"),
    What.INSURANCE: Sentence(
        "这是医保电子凭证，不是电子健康卡。请患者打开电子健康卡再扫。",
        "This is an insurance code. Ask for the electronic health card.",
    ),
    What.WECHAT_PAY: Sentence(
        "这是微信付款码，请勿在此扫码。请患者打开电子健康卡。",
        "This is a WeChat payment code: it is money. Ask for the electronic health card.",
    ),
    What.ALIPAY: Sentence(
        "这是支付宝付款码，请勿在此扫码。请患者打开电子健康卡。",
        "This is an Alipay payment code: it is money. Ask for the electronic health card.",
    ),
    What.UNIONPAY: Sentence(
        "这是银联付款码，请勿在此扫码。请患者打开电子健康卡。",
        "This is a UnionPay payment code: it is money. Ask for the electronic health card.",
    ),
    What.RESIDENT_ID: Sentence(
        "这是身份证号，不是电子健康卡。请患者出示电子健康卡。",
        "This is a resident id number. Ask for the electronic health card.",
    ),
    What.URL: Sentence(
        "这是网址二维码，不是电子健康卡。请患者打开电子健康卡再扫。",
        "This is a web address. Ask for the electronic health card.",
    ),
    What.HOSPITAL_CARD: Sentence(
        "这像是院内就诊卡或条码，不是电子健康卡。请按院内流程办理。",
        "This looks like a hospital's own card or label. Use the hospital's own way for it.",
    ),
    What.MEDICINE: Sentence(
        "这是药品追溯码，不是电子健康卡。",
        "This is a medicine's tracing code, not a health card.",
    ),
    What.PRODUCT: Sentence("这是商品条码，不是电子健康卡。", "This is a product's bar code, not a health card."),
    What.DAMAGED: Sentence(
        "健康卡码不完整，请重新扫描；多次出现请检查扫码枪设置。",
        "Part of a health card code is missing. Scan again; if it comes back, test the scanner's settings.",
    ),
    What.EMPTY: Sentence("二维码没有内容。", "The code is empty."),
    What.OTHER: Sentence(
        "不是电子健康卡。请患者打开电子健康卡再扫。",
        "This is no electronic health card. Ask the patient to open it.",
    ),
}

NAMES: dict[What, str] = {
    What.HEALTH_CARD: "an electronic health card (电子健康卡)",
    What.INSURANCE: "an insurance code (医保电子凭证)",
    What.WECHAT_PAY: "a WeChat payment code (微信付款码)",
    What.ALIPAY: "an Alipay payment code (支付宝付款码)",
    What.UNIONPAY: "a UnionPay payment code (银联付款码)",
    What.RESIDENT_ID: "a resident id number (身份证号)",
    What.URL: "a URL (网址)",
    What.HOSPITAL_CARD: "a hospital's own card or label (院内就诊卡)",
    What.MEDICINE: "a medicine's tracing code (药品追溯码)",
    What.PRODUCT: "a product's bar code (商品条码)",
    What.DAMAGED: "part of a health card code",
    What.EMPTY: "nothing",
    What.OTHER: "some other text",
}
"""In the core's words, where the core says of a text that is no payload what it is."""
_FOUND = {name: what for what, name in NAMES.items()}

COMPACT, SIGNED = "EHC2:", "EHC3:"
_MEDICINE = re.compile(r"8\d{19}")  # GB/T 药品追溯码: 20 digits, of which the first is 8
_PRODUCT = re.compile(r"\d{8}|\d{12,14}")  # EAN-8, UPC-A, EAN-13, ITF-14
_HOSPITAL = re.compile(r"[0-9A-Za-z]{5,20}")
_BEGINS = re.compile(r"EHC[23]|(\d{1,8}:)?[0-9A-Fa-f]{24}", re.IGNORECASE)
_PRODUCT_SYMBOLS = ("EAN", "UPC", "ITF")


class Found(NamedTuple):
    """card: the parts of a code of the profiles N and A, and of one without a token. profile: None unless it is a
    health card; N stands for A too, which only the key can tell."""

    what: What
    card: Payload | None = None
    profile: Profile | None = None

    @property
    def sentence(self) -> Sentence:
        return SENTENCES[self.what]

    @property
    def named(self) -> str:
        return NAMES[self.what]


def read_payload(text: str, symbol: str = "") -> Found:
    """symbol: of which symbology it was, as zxing-cpp names it, where that is known: bar codes are told by it."""
    if text[:5].upper() in (COMPACT, SIGNED):
        return _ours(text)
    try:
        card = parse_payload(text)
    except PayloadError as error:
        return Found(_whose(text.strip(), _FOUND.get(error.found, What.OTHER), symbol))
    return Found(What.HEALTH_CARD, card, Profile.N if card.dynamic else Profile.STATIC)


def identity_of(text: str, found: Found) -> str:
    """Equal for two codes that are surely of one card: its id, or the whole text where the code names none."""
    return found.card.card_id if found.card else text.rstrip("\r\n\t").upper()


def _ours(text: str) -> Found:
    """Codes of the profiles E2 and E3, as far as their grammar goes."""
    if text.startswith(SIGNED):
        fits = check_signed(text, {}, 0).reason is Reason.KEY_VERSION  # 3: behind the grammar
        return Found(What.HEALTH_CARD, None, Profile.E3) if fits else Found(What.DAMAGED)
    try:
        parse_compact(text)
    except PayloadError:
        return Found(What.DAMAGED)
    return Found(What.HEALTH_CARD, None, Profile.E2)


def _whose(text: str, found: What, symbol: str) -> What:
    if found is not What.OTHER:
        return found
    if _MEDICINE.fullmatch(text):
        return What.MEDICINE
    if _PRODUCT.fullmatch(text) and (symbol.startswith(_PRODUCT_SYMBOLS) or not symbol):
        return What.PRODUCT if symbol or len(text) == 13 else What.HOSPITAL_CARD
    if _HOSPITAL.fullmatch(text):
        return What.HOSPITAL_CARD
    return What.DAMAGED if _BEGINS.match(text) else What.OTHER
