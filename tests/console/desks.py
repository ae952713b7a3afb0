"""What the console's tests stand on: an app with operators and a person, browsers without a window, a form a page."""

import functools
import html
import re
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
from starlette.applications import Starlette

from ehc.access.operator import Role
from ehc.access.password import hash_of
from ehc.access.session import digest_of
from ehc.model import Card, Identity
from ehc.web.console import cookies
from ehc.wiring.services import Services

PASSWORD = "a heron over the lake 7"
HASH = hash_of(PASSWORD, b"sixteen bytes, 1")
SAMPLE = Identity("01", "11010020171225006X", "电子健康卡")
PURPOSE = "本人到窗口办理"
NAMES = {Role.SYSTEM: "wang.yu", Role.SECURITY: "li.na", Role.AUDIT: "zhao.min"}


@dataclass
class Clock:
    now: int = 1_767_225_600  # 2026-01-01T00:00:00Z

    def __call__(self) -> int:
        return self.now


@dataclass
class Browser:
    """Keeps cookies and sends forms with the token of the page that it saw last."""

    app: Starlette
    base: str = "http://ehc.example"
    client: tuple[str, int] = ("127.0.0.1", 5000)
    headers: dict[str, str] = field(default_factory=dict)
    jar: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = anyio.run(functools.partial(self._request, method, path, options))
        for line in answer.headers.get_list("set-cookie"):
            name, value = line.partition(";")[0].split("=", 1)
            if "Max-Age=0" in line:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    async def _request(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=self.client)
        async with httpx.AsyncClient(transport=transport, base_url=self.base, cookies=self.jar) as client:
            return await client.request(method, path, headers=self.headers | options.pop("headers", {}), **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", f"/console{path}", **options)

    def post(self, path: str, **fields: Any) -> httpx.Response:
        return self.request("POST", f"/console{path}", data={"csrf": self.token} | fields)

    def sign_in(self, name: str, password: str = PASSWORD, code: str = "") -> httpx.Response:
        self.get("/sign-in")
        answer = self.post("/sign-in", name=name, password=password, code=code)
        if answer.status_code == 303:
            self.get("/password")  # a page with the token of the new session
        return answer

    def follow(self, answer: httpx.Response) -> httpx.Response:
        assert answer.status_code == 303, text_of(answer)
        return self.request("GET", answer.headers["location"])


def text_of(answer: httpx.Response) -> str:
    """What a reader sees, without tags."""
    return html.unescape(re.sub(r"<[^>]*>", " ", answer.text))


@dataclass
class Desk:
    """The app with one operator of each role and one person."""

    services: Services
    app: Starlette
    clock: Clock
    card: Card

    def browser(self, **changes: Any) -> Browser:
        return Browser(self.app, **changes)

    def signed_in(self, role: Role, **changes: Any) -> Browser:
        """With a session in the store, as signing in makes one; that itself takes a password's time."""
        browser, session = self.browser(**changes), cookies.new_id()
        self.services.sessions.begin(digest_of(session), NAMES[role], self.clock.now, 0)
        browser.jar["ehc_session"] = session
        browser.get("/password")
        return browser

    def at_the_person(self) -> Browser:
        """A security operator who has opened the sample person's account."""
        browser = self.signed_in(Role.SECURITY)
        answer = browser.post(f"/people/{self.card.card_id}/open", purpose=PURPOSE)
        assert browser.follow(answer).status_code == 200
        return browser


FORMS = {
    "sign_out": {},
    "change_password": {"old": "x", "new": "y", "again": "y"},
    "measure_password": {"new": "x"},
    "new_factor": {},
    "bind_factor": {"sealed": "00" * 60, "code": "000000"},
    "unbind_factor": {"code": "000000"},
    "end_sessions": {"password": "x"},
    "search": {"by": "phone", "value": "13800138000", "purpose": "复核"},
    "find_physical": {"number": "44A000000001", "purpose": "复核"},
    "open_person": {"purpose": "复核"},
    "search_index": {"by": "number", "value": "13800138000", "domain": "passport", "purpose": "复核"},
    "decide_review": {"act": "claim"},
    "change_state": {"change": "suspend", "reason": "复核"},
    "issue_code": {"kind": "static"},
    "revoke_code": {"payload": "x"},
    "switch_place": {"part": "institution", "code": "H-1", "enabled": "no"},
    "add_caller": {"name": "clinic", "scopes": "verify"},
    "change_caller": {"name": "clinic", "act": "revoke"},
    "change_app": {"name": "city-app", "to": "suspended", "reason": "复核"},
    "change_sdk": {"sdk": "ehc-client/1.4.0/python", "to": "deprecated", "reason": "复核"},
    "revoke_grant": {"name": "city-app", "number": "1", "reason": "复核"},
    "add_operator": {"name": "sun.li", "role": "audit"},
    "change_operator": {"name": "zhao.min", "act": "disable"},
}
"""Page -> fields that it takes. H-1 is an institution."""
