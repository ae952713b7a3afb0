"""An app, or another system that connects by an SDK: who owns it, what it is, whether it may go on.

    draft ──► review ──► approved ◄──► suspended
      ▲          │           │             │
      └──────────┘           └──► revoked ◄┘      (and from draft and review too)

It is a caller (access/caller.py) that signs what it sends; its scopes come from its grants alone. An app of the sandbox
acts on invented people from its first day, and never on real ones.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ehc.access.caller import NAME as CALLER_NAME
from ehc.errors import Conflict, InputError

_PACKAGE = re.compile(r"[A-Za-z][0-9A-Za-z_-]*(\.[0-9A-Za-z_-]+)*")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")

Kind = Literal["app", "system"]


class AppState(enum.StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


NEXT: Mapping[AppState, frozenset[AppState]] = {
    AppState.DRAFT: frozenset({AppState.REVIEW, AppState.REVOKED}),
    AppState.REVIEW: frozenset({AppState.DRAFT, AppState.APPROVED, AppState.REVOKED}),
    AppState.APPROVED: frozenset({AppState.SUSPENDED, AppState.REVOKED}),
    AppState.SUSPENDED: frozenset({AppState.APPROVED, AppState.REVOKED}),
    AppState.REVOKED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """Its name is its app id, and its caller's name."""

    name: str
    kind: Kind
    owner: str
    package: str  # "" for a system
    certificate: bytes | None  # digest of the signing certificate, 32 bytes; None for a system
    public_key: bytes | None  # SM2, x ‖ y: what is downloaded is sealed to it
    sandbox: bool
    state: AppState
    created_at: int
    report: str = ""  # test report of the third party (检测报告): its number
    rate: int | None = None

    @property
    def usable(self) -> bool:
        return self.state is AppState.APPROVED or (self.sandbox and self.state in (AppState.DRAFT, AppState.REVIEW))


def new_app(
    name: str,
    owner: str,
    now: int,
    *,
    kind: Kind = "app",
    package: str = "",
    certificate: bytes | None = None,
    public_key: bytes | None = None,
    sandbox: bool = False,
    report: str = "",
    rate: int | None = None,
) -> RegisteredApp:
    """Raises InputError that names the field."""
    if not CALLER_NAME.fullmatch(name):
        raise InputError("name: 1 to 64 letters, digits, dots, dashes and underscores, none of . - _ first")
    if not 2 <= len(owner.strip()) <= 100 or _UNSEEN.search(owner):
        raise InputError("owner: who answers for it, in 2 to 100 characters")
    if kind == "app" and (len(package) > 128 or not _PACKAGE.fullmatch(package)):
        raise InputError("package: the app's package name, such as cn.example.health")
    if kind == "app" and certificate is None:
        raise InputError(
            "certificate: the SM3 or SHA-256 digest of the certificate that the app is signed with, in hex"
        )
    if kind == "system" and (package or certificate):
        raise InputError("package: a system has neither package nor certificate")
    if rate is not None and rate < 1:
        raise InputError("rate: at least 1 request a second")
    made = RegisteredApp(name, kind, owner.strip(), package, certificate, public_key, sandbox, AppState.DRAFT, now)
    return replace(made, report=report_of(report), rate=rate)


def report_of(text: str) -> str:
    """Raises InputError."""
    if len(text) > 200 or _UNSEEN.search(text):
        raise InputError("report: at most 200 characters, none of them unseen")
    return text.strip()


NO_REPORT = (
    "{} has no test report: it is tested by a third party before it is approved (7 检测); "
    "`ehc sdk app amend` and PATCH /v1/apps/… take the report's number"
)


def require_next(app: RegisteredApp, state: AppState) -> None:
    """Raises Conflict that says what may come next, or what is missing."""
    allowed = NEXT[app.state]
    if state not in allowed:
        after = ", ".join(sorted(allowed)) or "nothing"
        raise Conflict(f"{app.name} is {app.state.value}: {after} may come next, not {state.value}")
    if state is AppState.APPROVED and not app.report and not app.sandbox:
        raise Conflict(NO_REPORT.format(app.name))
