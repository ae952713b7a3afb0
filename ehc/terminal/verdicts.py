"""What is said of a health card: by the service where it answers, by the issuer's list where it does not."""

from __future__ import annotations

from typing import NamedTuple

from ehc.client import Client
from ehc.errors import EhcError
from ehc.reader.payloads import Sentence
from ehc.reader.scanning import Check, Outcome

REASONS: dict[str, Sentence] = {
    "accepted": Sentence("验证通过", "Accepted"),
    "invalid": Sentence("此码无效或已过期，请患者刷新后再扫。", "Not valid, or too old. Ask for a fresh code."),
    "expired": Sentence("此码已过期，请患者刷新后再扫。", "Too old. Ask for a fresh code."),
    "early": Sentence("此码的时间在未来，请核对本机时钟。", "Of the future: is this machine's clock right?"),
    "forged": Sentence("此码不是本系统签发的。", "Not made by this system."),
    "not_issued": Sentence("此码不是本系统签发的。", "Not made by this system."),
    "key_version": Sentence("此码的密钥版本不被接受。", "Made under a key that is not accepted."),
    "no_token": Sentence(
        "静态码不能在此使用，请出示动态码。", "A static code does not serve here. Ask for a dynamic one."
    ),
    "scene": Sentence("此环节不接受这种码，请出示动态码。", "This kind of code does not serve here."),
    "replayed": Sentence("此码已被使用，请患者刷新后再扫。", "Used already. Ask for a fresh code."),
    "revoked": Sentence("此码已撤销，请患者重新申领。", "Revoked. Ask for a new one."),
    "unknown_card": Sentence("查无此卡，请先注册。", "No such card. Register first."),
    "card_state": Sentence("此卡不可用（停用、注销或待审核）。", "This card is suspended, cancelled or pending."),
    "place": Sentence("本机构或本终端已停用。", "This institution or terminal is disabled."),
}
REFUSED = Sentence("验证未通过。", "Refused.")
UNANSWERED = Sentence(
    "服务无应答，未能验证。请稍后再扫。", "The service does not answer: not checked. Scan again later."
)
UNCHECKED = Sentence("已读取，未验证。", "Read, not checked.")


def sentence_of(outcome: Outcome) -> Sentence:
    return REASONS["accepted"] if outcome.accepted else REASONS.get(outcome.reason, REFUSED)


class ClientCheck:
    """All eight steps by the service, as an app of its own. The client does not try again: a queue waits."""

    def __init__(self, client: Client, scene: str, institution: str | None, terminal: str | None) -> None:
        self._client, self._scene, self._place = client, scene, (institution, terminal)

    def __call__(self, payload: str) -> Outcome:
        institution, terminal = self._place
        found = self._client.verify(payload, self._scene, institution=institution, terminal=terminal)
        return Outcome(found.accepted, found.reason, found.step, found.detail, found.expires_at, found.name)


class Answer(NamedTuple):
    """outcome: None where nobody could check; why: of that, for the log and the page. offline: by the list."""

    outcome: Outcome | None
    offline: bool = False
    why: str = ""


class Desk:
    """Asks the service first. What it cannot be asked is checked without network, where that can be; nothing else is
    ever accepted, and nothing is remembered of whoever came before."""

    def __init__(self, online: Check | None, offline: Check | None) -> None:
        self._online, self._offline = online, offline

    @property
    def checks(self) -> bool:
        return self._online is not None or self._offline is not None

    def __call__(self, payload: str) -> Answer:
        why = ""
        for check, offline in ((self._online, False), (self._offline, True)):
            if check is None:
                continue
            try:
                return Answer(check(payload), offline)
            except EhcError as error:
                why = why or str(error)
        return Answer(None, why=why)
