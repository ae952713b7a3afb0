"""One page of the console, and what its handler is called with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from ehc.access.looks import Look
from ehc.access.operator import Deed, Operator, Role
from ehc.access.session import Session, form_token
from ehc.web import logs
from ehc.web.console.drawing import Drawing
from ehc.web.observed import Observed
from ehc.web.wire.base import Body
from ehc.wiring.services import Services

HOME = "/console/"
SIGN_IN = "/console/sign-in"
PASSWORD = "/console/password"  # noqa: S105  a path
SECOND_FACTOR = "/console/second-factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """handler(visit, **parameters of the path, form=…, query=…); its name is the page's, in logs, looks and deeds."""

    method: str
    path: str  # below /console
    handler: Callable[..., Response]
    roles: frozenset[Role] | None  # None: for everybody
    form: type[Body] | None = None
    query: type[Body] | None = None
    deed: bool = False  # it changes something: visit.begin() records that first
    unfinished: bool = False  # also for an operator who has not chosen a password yet
    unbound: bool = False  # also for one who still has to bind a second factor
    slow: bool = False  # takes memory and time on purpose: few at once

    @property
    def name(self) -> str:
        return self.handler.__name__


@dataclass(slots=True)
class Visit:
    """A request that may be served."""

    services: Services
    observed: Observed
    drawing: Drawing
    page: Page
    path: str
    language: str
    cookie: str  # the session's, or what stands for it before there is one
    secure: bool  # the browser speaks TLS
    address: str
    session: Session | None = None
    done: str = ""  # what a redirection says was done
    deed: Deed | None = None

    @property
    def now(self) -> int:
        return self.services.clock()

    @property
    def signed_in(self) -> Session:
        assert self.session is not None  # noqa: S101  the door lets nobody else in
        return self.session

    @property
    def operator(self) -> Operator:
        return self.signed_in.operator

    def show(self, template: str, status: int = 200, **names: Any) -> HTMLResponse:
        """The page, in the operator's language."""
        known: Mapping[str, Any] = {
            "operator": self.session.operator if self.session else None,
            "path": self.path,
            "back": self.path if self.page.method == "GET" else HOME,
            "csrf": form_token(self.cookie),
            "done": self.done,
            "now": self.now,
        }
        return HTMLResponse(self.drawing.draw(template, self.language, {**known, **names}), status)

    def go(self, path: str, done: str = "") -> RedirectResponse:
        """After something was done: so that reloading does not do it again."""
        return RedirectResponse(f"{path}?done={done}" if done else path, 303)

    def look(self, account: int | None, purpose: str) -> None:
        """Recorded before anything is shown."""
        request = logs.request_id.get() or ""
        self.services.looks.record(Look(self.now, self.operator.by, self.page.name, account, purpose, request))

    def begin(self, subject: str = "", account: int | None = None, by: str = "") -> None:
        """This page's deed, recorded before it is done. subject: to what; of a person the account alone."""
        name = self.session.operator.name if self.session and not by else by
        request = logs.request_id.get() or ""
        self.deed = Deed(self.now, name, self.page.name, subject, account, "", request, self.address)
        self.services.deeds.record(self.deed)

    def failed(self, why: str) -> None:
        """The deed was not done. why: the last part of a problem type."""
        if self.deed is None:
            self.begin()
        assert self.deed is not None  # noqa: S101  it was begun
        self.services.deeds.record(replace(self.deed, result=why))
