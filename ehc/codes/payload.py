"""The payload texts that we emit: upper case, so that they stay inside QR alphanumeric mode (native/README.md)."""

from __future__ import annotations

from ehc.crypto import parse_payload
from ehc.errors import InputError
from ehc.model import Flag


def static_payload(card_id: str, *, organisation: str = "", prefix: str = "") -> str:
    """`CARDID:1`, with an organisation `CARDID:1::ORG`, with an issuer prefix `85:CARDID:1`.

    card_id: 32, 48 or 64 hex digits; organisation: up to 64 of 0-9 A-Z . -; prefix: up to 8 digits.
    Raises InputError for parts that a parser would not give back.
    """
    return _compose(prefix, card_id, Flag.STATIC, "", organisation)


def temporary_payload(card_id: str) -> str:
    """`CARDID:9`: the static code of a temporary card (临时卡), whose deadline the service keeps."""
    return _compose("", card_id, Flag.TEMPORARY, "", "")


def dynamic_payload(card_id: str, token: str, *, organisation: str = "", prefix: str = "") -> str:
    """`CARDID:0:TOKEN`, then as static_payload. token: 32 hex digits."""
    return _compose(prefix, card_id, Flag.DYNAMIC, token, organisation)


def _compose(prefix: str, card_id: str, flag: Flag, token: str, organisation: str) -> str:
    fields = [prefix] * bool(prefix) + [card_id, str(flag.value)]
    fields += [token] * bool(token or organisation) + [organisation] * bool(organisation)
    text = ":".join(fields).upper()
    parsed = parse_payload(text)
    given = (card_id.upper(), flag, token.upper(), organisation.upper(), prefix)
    if given != (parsed.card_id, parsed.flag, parsed.token or "", parsed.organisation or "", parsed.prefix or ""):
        raise InputError("payload: its parts do not come back from the text; a part holds a ':' or a line end")
    if "_" in text:
        raise InputError("organisation: '_' is outside QR alphanumeric mode; use 0-9 A-Z . -")
    return text
