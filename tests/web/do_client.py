"""An app of family A as hospital software writes it, from the words of the field: nothing of web/profiles is used."""

import json
from dataclasses import dataclass, field
from typing import Any

from ehc.access.app import Apps
from ehc.access.caller import new_caller
from ehc.crypto import sm3, sm4_ecb_decrypt, sm4_ecb_encrypt

SECRET = "893e64e8499d4ae0b466168ae26f6904"
APP = "60C90F3B796B41878B8D9C393E2B6329"
SETTINGS = {"profiles": ("do",), "do_versions": ("V2.0.0",), "do_empi": "mindex"}
SCOPES = ("verify", "codes", "register", "accounts:read", "accounts:plain", "accounts:write", "records:write")


def sign(members: Any) -> str:
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + SECRET
    return sm3(text.encode()).hex()


def seal(text: str) -> str:
    data = text.encode()
    return sm4_ecb_encrypt(bytes.fromhex(SECRET), data + bytes(-len(data) % 16)).hex().upper()


def unseal(sealed: str) -> str:
    return sm4_ecb_decrypt(bytes.fromhex(SECRET), bytes.fromhex(sealed)).rstrip(b"\0").decode()


@dataclass
class DoApp:
    """service: of conftest, with SETTINGS."""

    service: Any
    sent: int = 0
    head: dict[str, Any] = field(default_factory=dict)  # other members of the head than usual

    def request(self, method: str, **body: Any) -> dict[str, Any]:
        self.sent += 1
        usual = {"appId": APP, "timestamp": str(self.service.clock.now), "nonceStr": f"n-{self.sent}"}
        head = usual | {"version": "V2.0.0"} | self.head
        signs = {"headSign": sign(head), "bodySign": sign(body), "signMode": "SM3"}
        return head | signs | {"encryptMode": "SM4/ECB/ZeroBytePadding", "method": method, "body": body}

    def send(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self.service.post("/api/do", request)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ask(self, method: str, **body: Any) -> dict[str, Any]:
        """The datas of a success."""
        answer = self.send(self.request(method, **body))
        assert answer["returnCode"] == "0", answer
        assert answer["signString"] == sign(answer["datas"])
        return dict(answer["datas"])

    def fails(self, method: str, **body: Any) -> str:
        return str(self.send(self.request(method, **body))["returnCode"])


def new_app(service: Any, *scopes: str, name: str = APP, institution: str | None = "H-1") -> DoApp:
    apps: Apps = service.services.apps
    apps.add(new_caller(name, scopes or SCOPES, institution), SECRET, bytes(12), service.clock.now)
    service.app.worker.gate.doors.until -= 10  # as if what the gate knows were too old
    return DoApp(service)
