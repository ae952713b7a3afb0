"""Signing in (OWASP ASVS 4.0.3, V2.2): one answer, after one time, whatever is wrong; and slower with every failure."""

from __future__ import annotations

import hashlib

from ehc.access.operator import NAME, ONE_TIME_SECONDS, Operator, OperatorStore
from ehc.access.password import NOBODY, hash_of, is_right, require_good
from ehc.errors import InputError

FREE = 5
"""So many attempts in a row need no waiting."""

FIRST_WAIT, LONGEST_WAIT = 30, 900  # seconds; doubled with every attempt between
FORGOTTEN = 86_400
"""Seconds after the last attempt; from then on it begins anew."""

SAME = "password: it is the old one"


def locked_until(attempts: int, last_at: int) -> int:
    """The first second in which another attempt is looked at: 13 an hour at most, and nobody is shut out for good."""
    if attempts < FREE:
        return 0
    return last_at + min(FIRST_WAIT << min(attempts - FREE, 16), LONGEST_WAIT)


def attempts_now(attempts: int, last_at: int, now: int) -> int:
    return 0 if now - last_at >= FORGOTTEN else attempts


def who_of(name: str) -> bytes:
    """By what attempts are counted: what is typed for a name may be a password."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()


class SignIn:
    """All raise Unavailable."""

    def __init__(self, operators: OperatorStore) -> None:
        self._operators = operators

    def check(self, name: str, password: str, now: int) -> Operator | None:
        """None: no such operator, another password, disabled, too many attempts. Nobody outside learns which."""
        who = who_of(name)
        allowed = self._operators.attempt(who, now)
        found = self._operators.find(name) if NAME.fullmatch(name) else None
        right = is_right(password, found[1] if found else NOBODY)
        if not (found and right and allowed and found[0].may_sign_in(now)):
            return None
        self._operators.signed_in(who, name, now)
        return found[0]

    def change_password(self, name: str, old: str, new: str, salt: bytes, now: int) -> bool:
        """Their own, by themselves; all their sessions end. False when the old one is not right, or tried too often.

        Raises InputError for a new one that is refused.
        """
        require_good(new, name)
        if new == old:
            raise InputError(SAME)
        if self.check(name, old, now) is None:
            return False
        self._operators.set_password(name, hash_of(new, salt), None)
        return True

    def give_password(self, name: str, one_time: str, salt: bytes, now: int) -> None:
        """One that somebody else knows, until they choose their own; all their sessions end. Raises NotFound."""
        self._operators.set_password(name, hash_of(one_time, salt), now + ONE_TIME_SECONDS)
