"""Family A's envelope around what hospital software says in the clear (sdkauth/family_a.py has the bytes)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ehc.crypto import constant_time_equal
from ehc.errors import InputError, Unavailable
from ehc.sdkauth.family_a import SM4, Fields, sign

MODE = "SM3"
SEALED = ("name", "idCode", "phone", "linkman", "telephone", "motherIdCode")
"""Members that are encrypted, both ways."""

LATER = ("batchUploadPayInfo",)
"""Methods that may be sent later: they count once, however often they come."""


class Family:
    """app, secret: appId and appSecret. version: as the service names it."""

    def __init__(self, app: str, secret: str, version: str) -> None:
        self._app, self._secret, self._version, self._fields = app, secret, version, Fields(secret)

    def sign(self, members: Mapping[str, Any]) -> str:
        return sign(members, self._secret, MODE)

    def encrypt(self, texts: Mapping[str, Any]) -> dict[str, str]:
        """Raises InputError for what is no text."""
        return {name: self._fields.seal(_text(name, value)) for name, value in texts.items()}

    def decipher(self, sealed: Mapping[str, Any]) -> dict[str, str]:
        """Raises InputError that names the field."""
        return {name: self._fields.unseal(name, _text(name, value)) for name, value in sealed.items()}

    def envelope(self, method: str, body: Mapping[str, Any], org_code: str | None, now: int) -> dict[str, Any]:
        head = {"appId": self._app, "nonceStr": os.urandom(12).hex(), "timestamp": str(now), "version": self._version}
        head |= {} if org_code is None else {"orgCode": org_code}
        sealed = dict(body) | self.encrypt({name: body[name] for name in SEALED if body.get(name)})
        signs = {"headSign": self.sign(head), "bodySign": self.sign(sealed), "signMode": MODE, "encryptMode": SM4}
        return head | signs | {"method": method, "body": sealed}

    def opened(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The answer with its datas in the clear. Raises Unavailable for one that this service did not sign."""
        datas = answer.get("datas") or {}
        given = str(answer.get("signString", "")).lower()
        if not constant_time_equal(given.encode("utf-8", "replace"), self.sign(datas).encode()):
            raise Unavailable("the answer is not signed with this app's secret: is it the right service, and app?")
        opened = self.decipher({name: datas[name] for name in SEALED if datas.get(name)})
        return {**answer, "datas": datas | opened}


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name}: a text is wanted")
    return value
