"""Verification by native calls, where this process itself holds the keys; which kind, the hot state decides."""

from __future__ import annotations

from typing import Any

from ehc.codes.batch import accepted
from ehc.codes.policy import ScenePolicy
from ehc.crypto.shortcut import OfflineShortcut
from ehc.machine.software import SoftwareMachine
from ehc.model import CardStatus, Profile
from ehc.ports import HotState, KeyService, ShortWay
from ehc.store.hot_mapped import MappedHotState


def open_shortcut(keys: KeyService, hot: HotState, policy: ScenePolicy, **more: Any) -> ShortWay | None:
    """None where the keys are elsewhere. more: what its answers look like, as Shortcut has it."""
    if not isinstance(keys, SoftwareMachine):
        return None
    return hot.shortcut(**_opening(keys, policy), **more)


def open_offline_shortcut(keys: KeyService, hot: HotState, policy: ScenePolicy) -> OfflineShortcut | None:
    """For what was checked offline; None where the keys or the hot state are elsewhere."""
    if not (isinstance(keys, SoftwareMachine) and isinstance(hot, MappedHotState)):
        return None
    return OfflineShortcut(
        hot.codes(), lend_active=keys.lend_active_compact_key, verdict=_verdict, **_opening(keys, policy)
    )


def _opening(keys: SoftwareMachine, policy: ScenePolicy) -> dict[str, Any]:
    return {
        "lend_compact": keys.lend_compact_keys,
        "lend": keys.lend_keys,
        "window": policy.window,
        "profiles": policy.token_profiles,
        "accept_unissued": policy.accept_unissued,
    }


def _verdict(card: CardStatus, profile: str) -> Any:
    return accepted(card, Profile(profile))
