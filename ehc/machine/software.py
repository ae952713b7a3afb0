"""The software crypto machine: the compiled core under key handles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ehc import crypto
from ehc.crypto import Batch, CompactKey, CompactVerdict, DerivedBatch, KeyHandle, Profiles, Window
from ehc.crypto.batch import Padding, RekeyedBatch
from ehc.errors import KeyUnavailable
from ehc.keys.keyring import Purpose
from ehc.model import Reason, Verdict
from ehc.ports import AuthenticTokens

_OF_ANOTHER_VERSION = (Reason.FORGED, Reason.KEY_VERSION)


class SoftwareMachine:
    """ports.KeyService. A key that is None is missing: what needs it raises KeyUnavailable.

    older_protection_keys: versions that make nothing any more and still check what they made. compact_keys: what the
    protection keys give for compact codes, the active one's first. older_security_keys: versions that make card
    ids when asked by their number. rekeying_keys: versions under which re-keying prepares card ids, or tells old ones.
    """

    def __init__(
        self,
        security_key: KeyHandle | None,
        protection_key: KeyHandle | None,
        older_protection_keys: Iterable[KeyHandle] = (),
        compact_keys: Iterable[CompactKey] = (),
        *,
        older_security_keys: Iterable[KeyHandle] = (),
        rekeying_keys: Iterable[KeyHandle] = (),
    ) -> None:
        self._compact_keys = {key.version: key for key in compact_keys}
        self._security_key, self._protection_key = security_key, protection_key
        self._older = sorted(older_protection_keys, key=lambda key: key.version, reverse=True)
        self._making = {key.version: key for key in (security_key, *older_security_keys) if key is not None}
        self._rekeying = self._making | {key.version: key for key in rekeying_keys}
        _require(Purpose.SECURITY_KEY, *self._rekeying.values())
        _require(Purpose.PROTECTION_KEY, protection_key, *self._older)

    @property
    def security_key_version(self) -> int:
        return _present(self._security_key, Purpose.SECURITY_KEY).version

    @property
    def security_key_check_value(self) -> str:
        return _present(self._security_key, Purpose.SECURITY_KEY).check_value

    def derive_batch(self, rows: Batch, *, version: int | None = None, padding: Padding = "full") -> DerivedBatch:
        key = _present(self._security_key, Purpose.SECURITY_KEY)
        if version is not None and version not in self._making:
            raise KeyUnavailable(f"security_key version {version} makes no card ids: version {key.version} does")
        return crypto.derive_batch(rows, key if version is None else self._making[version], padding=padding)

    def rekey_batch(self, rows: Batch, *, old: int, new: int, padding: Padding = "full") -> RekeyedBatch:
        return crypto.rekey_batch(rows, self._for_rekeying(old), self._for_rekeying(new), padding=padding)

    def _for_rekeying(self, version: int) -> KeyHandle:
        key = self._rekeying.get(version)
        if key is None:
            raise KeyUnavailable(f"there is no security_key version {version} to re-key with: see `ehc keys list`")
        return key

    def seal_validity(self, time: int) -> str:
        return crypto.make_token(time, _present(self._protection_key, Purpose.PROTECTION_KEY))

    def seal_bound(self, card_id: str, expiry: int, sequence: int) -> str:
        key = _present(self._protection_key, Purpose.PROTECTION_KEY)
        return crypto.make_bound_token(card_id, expiry, key, sequence=sequence)

    def check_token(
        self, payload: str | bytes, now: int, window: Window, profiles: Profiles = Profiles.NATIONAL
    ) -> Verdict:
        """The verdict of the first version under which the token is authentic; FORGED when it is under none.

        Profile N names no version, so each is tried: the active one, then the older, newest first.
        """
        newest = _present(self._protection_key, Purpose.PROTECTION_KEY)
        verdict = crypto.check_token(payload, newest, now, window=window, profiles=profiles)
        for key in self._older:
            if verdict.reason not in _OF_ANOTHER_VERSION:
                break
            verdict = crypto.check_token(payload, key, now, window=window, profiles=profiles)
        return verdict

    def check_tokens(self, payloads: Sequence[str], profile: Profiles, window: Window) -> AuthenticTokens:
        key = _present(self._protection_key, Purpose.PROTECTION_KEY)
        found = crypto.check_batch(payloads, key, 0, window=window, profiles=profile)
        return AuthenticTokens(found.authentic.tolist(), found.expiry.tolist())

    def seal_compact(self, account: int, *, issuer: int, node: int, serial: int, issued_at: int, ttl: int) -> str:
        key = next(iter(self._present_compact_keys().values()))
        return crypto.make_compact_code(
            key, account=account, issuer=issuer, node=node, serial=serial, issued_at=issued_at, ttl=ttl
        )

    def check_compact(self, payload: str | bytes, now: int, tolerance: int) -> CompactVerdict:
        if self._protection_key is None:
            self._present_compact_keys()
        return crypto.check_compact(payload, self._compact_keys, now, tolerance=tolerance)

    def _present_compact_keys(self) -> Mapping[int, CompactKey]:
        _present(self._protection_key, Purpose.PROTECTION_KEY)
        return self._compact_keys

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
