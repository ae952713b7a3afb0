"""An operator (操作员): a person who works in the console, in one of three roles that nobody has together.

What operators did is a row each in a record that only grows.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ehc.errors import InputError

NAME = re.compile(r"[a-z][0-9a-z._-]{1,31}")
ONE_TIME_SECONDS = 7 * 86_400
"""In which a person must use the password that somebody else gave, and choose their own."""


class Role(enum.StrEnum):
    """三员分立: who runs the system, who handles cards, and who watches both."""

    SYSTEM = "system"  # 系统管理员: callers, institutions, terminals, operators, health
    SECURITY = "security"  # 安全管理员: finds people; suspends, cancels and restores cards; codes
    AUDIT = "audit"  # 审计员: reads looks and deeds, changes nothing


@dataclass(frozen=True, slots=True)
class Operator:
    name: str  # unique for ever; stands in events and looks as operator:<name>
    role: Role
    created_at: int  # seconds since 1970, as all times
    disabled_at: int | None = None
    one_time_until: int | None = None  # their password was given by somebody else, and ends then; None: their own
    signed_in_at: int | None = None  # the last time
    second_factor_at: int | None = None  # since when they have one

    @property
    def by(self) -> str:
        """As who it stands in histories and looks."""
        return f"operator:{self.name}"

    def may_sign_in(self, now: int) -> bool:
        return self.disabled_at is None and (self.one_time_until is None or now < self.one_time_until)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that an operator did, or tried. Written before it is done; a second one says that it failed."""

    at: int
    operator: str  # empty: nobody's name
    what: str  # the page
    subject: str = ""  # code of a place, name of a caller or operator; of a card its account
    account: int | None = None
    result: str = ""  # empty: it was begun; else why it was not done, the last part of a problem type
    request_id: str = ""
    address: str = ""  # where the browser is
    number: int = 0  # the store's own; 0: not yet kept


class OperatorStore(Protocol):
    """Operators and their passwords' hashes. What a method returned is committed. All raise Unavailable."""

    def add(self, operator: Operator, password_hash: str) -> None:
        """Raises Conflict when the name is taken, also by a disabled one."""
        ...

    def all(self) -> Sequence[Operator]:
        """By name."""
        ...

    def find(self, name: str) -> tuple[Operator, str] | None:
        """With the hash of the password."""
        ...

    def set_password(self, name: str, password_hash: str, one_time_until: int | None) -> None:
        """Ends all sessions of this operator, and forgets failed attempts. Raises NotFound."""
        ...

    def set_enabled(self, name: str, enabled: bool, now: int) -> None:
        """Disabling ends all sessions. Raises NotFound; Conflict for the last operator of the system."""
        ...

    def attempt(self, who: bytes, now: int) -> bool:
        """Count an attempt to sign in, before the password is looked at; False while sign_in.locked_until says wait.

        who: 32 bytes for a name, of an operator or not.
        """
        ...

    def signed_in(self, who: bytes, name: str, now: int) -> None:
        """Forget the attempts."""
        ...

    def second_factor(self, name: str) -> bytes | None:
        """Sealed."""
        ...

    def bind(self, name: str, sealed: bytes, step: int, now: int) -> None:
        """From now on this is their second factor; codes up to that step are used. Ends all sessions.

        Raises NotFound; Conflict when there is one.
        """
        ...

    def unbind(self, name: str) -> None:
        """Ends all sessions of this operator. Raises NotFound."""
        ...

    def use_step(self, name: str, step: int) -> bool:
        """False when this step, or a later one, was used before."""
        ...


class DeedStore(Protocol):
    """Append-only. Both raise Unavailable."""

    def record(self, deed: Deed) -> None:
        """Committed when this returns."""
        ...

    def deeds(self, operator: str = "", before: int | None = None, limit: int = 100) -> Sequence[Deed]:
        """The newest first, of one operator or of all; those with a smaller number than before."""
        ...


def new_operator(name: str, role: str, now: int) -> Operator:
    """With a password that somebody else knows. Raises InputError that says what is wrong and what there is."""
    if not NAME.fullmatch(name):
        raise InputError("operator: a name has 2 to 32 of a-z 0-9 . _ -, a letter first")
    if role not in set(Role):
        raise InputError(f"role: one of {', '.join(Role)}")
    return Operator(name, Role(role), now, one_time_until=now + ONE_TIME_SECONDS)
