"""The software crypto machine: the compiled core under key handles."""

from __future__ import annotations

from collections.abc import Iterable

from ehc import crypto
from ehc.crypto import Batch, DerivedBatch, KeyHandle, Window
from ehc.crypto.batch import Padding
from ehc.errors import KeyUnavailable
from ehc.keys.keyring import Purpose
from ehc.model import Reason, Verdict


class SoftwareMachine:
    """ports.KeyService. A key that is None is missing: what needs it raises KeyUnavailable.

    older_protection_keys: versions that make nothing any more and still check what they made.
    """

    def __init__(
        self,
        security_key: KeyHandle | None,
        protection_key: KeyHandle | None,
        older_protection_keys: Iterable[KeyHandle] = (),
    ) -> None:
        self._security_key, self._protection_key = security_key, protection_key
        self._older = sorted(older_protection_keys, key=lambda key: key.version, reverse=True)
        _require(Purpose.SECURITY_KEY, security_key)
        _require(Purpose.PROTECTION_KEY, protection_key, *self._older)

    @property
    def security_key_version(self) -> int:
        return _present(self._security_key, Purpose.SECURITY_KEY).version

    @property
    def security_key_check_value(self) -> str:
        return _present(self._security_key, Purpose.SECURITY_KEY).check_value

    def derive_batch(self, rows: Batch, *, padding: Padding = "full") -> DerivedBatch:
        return crypto.derive_batch(rows, _present(self._security_key, Purpose.SECURITY_KEY), padding=padding)

    def seal_validity(self, time: int) -> str:
        return crypto.make_token(time, _present(self._protection_key, Purpose.PROTECTION_KEY))

    def check_token(self, payload: bytes, now: int, window: Window) -> Verdict:
        """The verdict of the first version under which the token is authentic; FORGED when it is under none.

        Profile N names no version, so each is tried: the active one, then the older, newest first.
        """
        verdict = crypto.check_token(
            payload, _present(self._protection_key, Purpose.PROTECTION_KEY), now, window=window
        )
        for key in self._older:
            if verdict.reason is not Reason.FORGED:
                break
            verdict = crypto.check_token(payload, key, now, window=window)
        return verdict

    def __repr__(self) -> str:
        return f"<SoftwareMachine {self._security_key} {self._protection_key} older: {self._older}>"


def _require(purpose: Purpose, *keys: KeyHandle | None) -> None:
    wrong = [key for key in keys if key is not None and key.purpose != purpose.value]
    if wrong:
        raise ValueError(f"{wrong[0]} does not serve as a {purpose.value}")


def _present(key: KeyHandle | None, purpose: Purpose) -> KeyHandle:
    if key is None:
        raise KeyUnavailable(
            f"there is no active {purpose.value}: add one with `ehc keys import --purpose {purpose.value}`"
        )
    return key
