"""Signing in (OWASP ASVS 4.0.3, V2.2): one answer, after one time, whatever is wrong; and slower with every failure."""

from __future__ import annotations

import base64
import hashlib
import logging

from ehc.access.operator import NAME, ONE_TIME_SECONDS, Operator, OperatorStore
from ehc.access.password import NOBODY, hash_of, is_right, require_good
from ehc.access.second_factor import Seals, SecondFactor
from ehc.errors import InputError, KeyUnavailable

log = logging.getLogger("ehc.access")

FREE = 5
"""So many attempts in a row need no waiting."""

FIRST_WAIT, LONGEST_WAIT = 30, 900  # seconds; doubled with every attempt between
FORGOTTEN = 86_400
"""Seconds after the last attempt; from then on it begins anew."""

SAME = "password: it is the old one"

_SEALED = "~"
"""Before the last part of a hash that is sealed: a salt that is secret (ASVS 2.4.5). One-time passwords need none."""


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


def give_password(operators: OperatorStore, name: str, one_time: str, salt: bytes, now: int) -> None:
    """Known to somebody else until they choose their own; all their sessions end. Raises NotFound, Unavailable."""
    operators.set_password(name, hash_of(one_time, salt), now + ONE_TIME_SECONDS)


class SignIn:
    """All raise Unavailable; those for who is signed in and look at a password or a second factor, KeyUnavailable."""

    def __init__(self, operators: OperatorStore, seals: Seals) -> None:
        self._operators, self._seals = operators, seals

    def check(self, name: str, password: str, code: str, now: int) -> Operator | None:
        """code: of the second factor, where the operator has one.

        None: no such operator, another password or code, disabled, too many attempts, or what is sealed does not
        open. Nobody outside learns which: only of an operator is anything sealed.
        """
        try:
            found = self._knows(name, password, now)
            if found is None or not self._has(found, code, now):
                return None
        except KeyUnavailable as error:
            is_right(password, NOBODY)  # takes as long as looking at one that opens
            log.error("an operator cannot sign in: %s", error)
            return None
        self._operators.signed_in(who_of(name), name, now)
        return found

    def _knows(self, name: str, password: str, now: int) -> Operator | None:
        allowed = self._operators.attempt(who_of(name), now)
        found = self._operators.find(name) if NAME.fullmatch(name) else None
        right = is_right(password, self._opened(found[1], name) if found else NOBODY)
        return found[0] if found and right and allowed and found[0].may_sign_in(now) else None

    def _has(self, operator: Operator, code: str, now: int) -> bool:
        """Each code once (ASVS 2.8.4)."""
        sealed = self._operators.second_factor(operator.name)
        if sealed is None:
            return True
        step = SecondFactor.opened(self._seals, sealed, operator.name).step_of(code, now)
        return step is not None and self._operators.use_step(operator.name, step)

    def _sealed(self, password_hash: str, name: str, nonce: bytes) -> str:
        head, _, digest = password_hash.rpartition("$")
        sealed = self._seals.seal(digest, _label(name), nonce)
        return f"{head}${_SEALED}{base64.b64encode(sealed).decode()}"

    def _opened(self, password_hash: str, name: str) -> str:
        head, _, sealed = password_hash.rpartition("$")
        if not sealed.startswith(_SEALED):
            return password_hash
        return f"{head}${self._seals.unseal(base64.b64decode(sealed.removeprefix(_SEALED)), _label(name))}"

    def change_password(self, name: str, old: str, new: str, now: int, *, salt: bytes, nonce: bytes) -> bool:
        """Their own, by themselves; all their sessions end. False when the old one is not right, or tried too often.

        nonce: NONCE_BYTES random bytes. Raises InputError for a new one that is refused.
        """
        require_good(new, name)
        if new == old:
            raise InputError(SAME)
        if self._knows(name, old, now) is None:
            return False
        self._operators.signed_in(who_of(name), name, now)
        self._operators.set_password(name, self._sealed(hash_of(new, salt), name, nonce), None)
        return True

    def new_factor(self, name: str, secret: bytes, nonce: bytes) -> tuple[SecondFactor, bytes]:
        """One to be shown, and the same sealed, which `bind` wants back with a code of it."""
        factor = SecondFactor(secret)
        return factor, factor.sealed(self._seals, name, nonce)

    def bind(self, name: str, sealed: bytes, code: str, now: int) -> bool:
        """From now on they sign in with it. False: the code is none of it, or it was sealed for somebody else.

        Raises Conflict when there is one.
        """
        try:
            step = SecondFactor.opened(self._seals, sealed, name).step_of(code, now)
        except KeyUnavailable:
            return False
        if step is not None:
            self._operators.bind(name, sealed, step, now)
        return step is not None

    def unbind(self, operator: Operator, code: str, now: int) -> bool:
        """Their own, by themselves; all their sessions end. False: another code, or tried too often."""
        if not (self._operators.attempt(who_of(operator.name), now) and self._has(operator, code, now)):
            return False
        self._operators.signed_in(who_of(operator.name), operator.name, now)
        self._operators.unbind(operator.name)
        return True


def _label(name: str) -> str:
    """What a hash is sealed for; that of the second factor is another one."""
    return f"password:{name}"
