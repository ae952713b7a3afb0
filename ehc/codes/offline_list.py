"""The list of an issuer for terminals without network: who may sign, where they may accept, what was revoked."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ehc.codes.offline import LABEL, OfflineList, SignedList
from ehc.codes.policy import ScenePolicy
from ehc.config import Settings
from ehc.crypto.signed import alias_of
from ehc.errors import ConfigError, Conflict
from ehc.model import Profile
from ehc.ports import AccountLookup, KeyService, Revocations

DAY = 86_400
_FOREVER = 2**53  # a time beyond all codes, that every JSON reader can hold


@dataclass(frozen=True, slots=True)
class OfflinePolicy:
    issuer: int
    scenes: tuple[str, ...]
    seconds: int  # a list serves so long


def offline_policy(settings: Settings) -> OfflinePolicy:
    """Raises ConfigError where the settings contradict themselves."""
    if settings.offline_scenes and "E3" not in settings.accept_profiles:
        raise ConfigError("offline_scenes: terminals without network check signed codes: add E3 to accept_profiles")
    return OfflinePolicy(settings.issuer, settings.offline_scenes, settings.offline_list_seconds)


class ListMaker:
    """Raises Conflict where no scene is offline, KeyUnavailable, Unavailable. Blocks."""

    def __init__(
        self,
        keys: KeyService,
        accounts: AccountLookup,
        revocations: Revocations,
        scenes: ScenePolicy,
        offline: OfflinePolicy,
    ) -> None:
        self._keys, self._accounts, self._revocations = keys, accounts, revocations
        self._scenes, self._offline = scenes, offline

    def make(self, now: int) -> SignedList:
        """As it is now, signed."""
        offline, policy = self._offline, self._scenes
        if not offline.scenes:
            raise Conflict("no scene takes codes without network here (setting offline_scenes)")
        made = OfflineList(
            issuer=offline.issuer,
            issued_at=now,
            until=now + offline.seconds,
            tolerance=policy.tolerance,
            keys={version: key.hex().upper() for version, key in sorted(self._keys.verification_keys().items())},
            scenes=[scene for scene in sorted(offline.scenes) if policy.allows(scene, Profile.E3)],
            single_use=[scene for scene in sorted(offline.scenes) if policy.uses(scene)],
            codes=sorted(name.hex() for name in self._revocations.codes(now)),
            aliases=self._aliases(now),
        )
        text = msgspec.json.encode(made).decode()
        signed = self._keys.sign(LABEL + text.encode())
        return SignedList(text, signed.version, signed.value.hex().upper())

    def _aliases(self, now: int) -> dict[str, int]:
        """Of the people whose codes of before are revoked: theirs of every day of which codes may be alive."""
        since = now - self._scenes.validity - self._scenes.tolerance
        found: dict[str, int] = {}
        for account in self._revocations.changed(since):
            card = self._accounts.card_of_account(account)
            if card is None:
                continue
            status = card.status()
            before = status.codes_from if status.usable(now) else _FOREVER
            if before > since:
                found.update((self._alias(account, day), before) for day in range(since // DAY, now // DAY + 1))
        return dict(sorted(found.items()))

    def _alias(self, account: int, day: int) -> str:
        code = self._keys.seal_compact(account, issuer=0, node=0, serial=0, issued_at=day * DAY, ttl=0)
        return alias_of(code).hex()
