"""An app that signs as RFC 9421 says, from the words of the RFC: nothing of ehc's own signing is used."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from ehc.crypto.legacy_signature import sorted_parameters
from ehc.crypto.sm2 import PrivateKey, PublicKey
from ehc.sdkauth.act import Act
from ehc.sdkauth.app import AppState, new_app
from ehc.sdkauth.grant import Quota, new_grant
from ehc.sdkauth.sdk import SdkState, parse_id

SECRET = bytes(range(32))
SM2 = PrivateKey((11).to_bytes(32, "big"))
SDK = "ehc-client/1.4.0/python"
BY = Act(1, "a test", "because")


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass
class SdkApp:
    """service: of conftest."""

    service: Any
    name: str = "city-app"
    key: str = "k-1"
    kind: str = "hmac"
    sent: int = 0
    headers: dict[str, str] = field(default_factory=dict)  # beside the usual ones
    parameters: str = ""  # of the signature, likewise

    def signed(self, method: str, path: str, body: Any = None, **extra: str) -> dict[str, Any]:
        """What httpx sends: method, path, content, headers."""
        self.sent += 1
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"host": "ehc.example", "x-sdk": SDK} | self.headers | extra
        target, _, query = path.partition("?")
        lines = {"@method": method, "@authority": "ehc.example", "@path": target, "@query": f"?{query}"}
        if body is not None:
            headers["content-type"] = "application/json"
            headers["content-digest"] = f"sm3=:{b64(sm3(content))}:"
        names = [n for n in ("content-type", "content-digest", "x-sdk", "x-institution", "x-purpose") if n in headers]
        lines |= {name: headers[name] for name in names}
        alg = {"hmac": "hmac-sm3", "sm2": "sm2-sm3"}[self.kind]
        covered = " ".join(f'"{name}"' for name in lines)
        text = f'({covered});created={self.service.clock.now};nonce="nonce-{self.sent:012}"'
        text += f';keyid="{self.key}";alg="{alg}";tag="ehc"{self.parameters}'
        base = "".join(f'"{name}": {value}\n' for name, value in lines.items()) + f'"@signature-params": {text}'
        headers["signature-input"], headers["signature"] = f"ehc={text}", f"ehc=:{b64(self.sign(base.encode()))}:"
        return {"method": method, "path": path, "content": content, "headers": headers}

    def sign(self, base: bytes) -> bytes:
        return SM2.sign(base) if self.kind == "sm2" else hmac.new(SECRET, base, "sm3").digest()

    def send(self, request: dict[str, Any]) -> Any:
        given = dict(request)
        method, path = given.pop("method"), given.pop("path")
        if not given["content"]:
            del given["content"]
        return self.service.request(method, path, **given)

    def ask(self, method: str, path: str, body: Any = None, **extra: str) -> Any:
        return self.send(self.signed(method, path, body, **extra))

    def check_answer(self, answer: Any) -> None:
        """It is signed, over its status and its body, for the request's nonce."""
        given, name = answer.headers["signature-input"].removeprefix("ehc="), f"nonce-{self.sent:012}"
        assert f'nonce="{name}"' in given
        assert 'tag="ehc-answer"' in given
        assert answer.headers["content-digest"] == f"sm3=:{b64(sm3(answer.content))}:"
        lines = {"@status": str(answer.status_code), "content-type": answer.headers["content-type"]}
        lines["content-digest"] = answer.headers["content-digest"]
        base = "".join(f'"{n}": {value}\n' for n, value in lines.items()) + f'"@signature-params": {given}'
        signature = base64.b64decode(answer.headers["signature"].removeprefix("ehc=:").removesuffix(":"))
        if self.kind == "hmac":
            assert signature == hmac.new(SECRET, base.encode(), "sm3").digest()
        else:
            (known,) = self.service.get("/v1/sdk/authority").json()["keys"]
            assert PublicKey(bytes.fromhex(known["public_key"])).verify(signature, base.encode())


def later(service: Any) -> None:
    """As if what the gate knows were too old."""
    service.app.worker.gate.doors.until -= 10


def publish(service: Any, text: str = SDK) -> None:
    sdks = service.services.sdks
    id = parse_id(text)
    sdks.add(id, "", BY)
    sdks.put_file(id, [b"file"], sm3(b"file"), 4, BY)
    for state in (SdkState.REVIEW, SdkState.PUBLISHED):
        sdks.move(id, state, BY)


def grant(service: Any, *scopes: str, name: str = "city-app", **details: Any) -> int:
    registry, now = service.services.app_registry, service.clock.now
    institutions, quota = details.pop("institutions", None), details.pop("quota", None)
    what = {"begins_at": now, "ends_at": now + 86_400} | details
    sdk, versions = what.pop("sdk", "ehc-client"), what.pop("versions", ">=1.0.0 <2.0.0")
    new = new_grant(name, sdk, versions, scopes, institutions, quota=quota and Quota(*quota), **what)
    number = registry.grant(new, BY).number
    later(service)
    return int(number)


def add_app(service: Any, *scopes: str, name: str = "city-app", kind: str = "hmac", **details: Any) -> SdkApp:
    """Approved, with a key, and a grant of these scopes where there are any."""
    registry, now = service.services.app_registry, service.clock.now
    usual = {"package": "cn.example.health", "certificate": bytes(32), "report": "r-1"}
    made = new_app(name, "市卫健委", now, public_key=bytes(SM2.public_key), **(usual | details))
    registry.add(made, BY)
    if not made.sandbox:
        for state in (AppState.REVIEW, AppState.APPROVED):
            registry.move(name, state, BY)
    key = f"k-{name}-{kind}"
    if kind == "sm2":
        registry.add_sm2_key(name, key, bytes(SM2.public_key), BY)
    else:
        registry.add_hmac_key(name, key, SECRET, bytes(12), BY)
    if scopes:
        grant(service, *scopes, name=name)
    later(service)
    return SdkApp(service, name, key, kind)


def legacy(app: Any, secret: str, method: str, path: str, body: bytes = b"", **more: str) -> dict[str, Any]:
    """more: parameters that are signed too."""
    app.sent += 1
    headers = {"x-app-id": app.name, "x-timestamp": f"{app.service.clock.now}000", "x-sdk": SDK}
    headers |= {"x-nonce": f"nonce-{app.sent:012}"}
    given = {"app_id": app.name, "method": method, "nonce": headers["x-nonce"], "path": path, "sdk": SDK}
    given |= {"timestamp": headers["x-timestamp"]} | more
    if body:
        headers |= {"x-content-sm3": sm3(body).hex(), "content-type": "application/json"}
        given["body"] = headers["x-content-sm3"]
    headers["x-digest"] = sm3((sorted_parameters(given) + secret).encode()).hex()
    return {"method": method, "path": path, "content": body, "headers": headers}
