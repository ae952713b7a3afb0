"""Verification in one native call, where this process itself holds the keys and the hot state."""

from __future__ import annotations

from typing import Any

from ehc.codes.batch import accepted
from ehc.codes.policy import ScenePolicy
from ehc.crypto.shortcut import OfflineShortcut, Shortcut
from ehc.machine.software import SoftwareMachine
from ehc.model import CardStatus, Profile
from ehc.ports import HotState, KeyService
from ehc.store.hot_mapped import MappedHotState


def open_shortcut(keys: KeyService, hot: HotState, policy: ScenePolicy, **more: Any) -> Shortcut | None:
    """None where keys or hot state are elsewhere. more: how its answers look, as Shortcut has it."""
    if not (isinstance(keys, SoftwareMachine) and isinstance(hot, MappedHotState)):
        return None
    return hot.shortcut(Shortcut, **_judging(keys, policy), **more)


def open_offline_shortcut(keys: KeyService, hot: HotState, policy: ScenePolicy) -> OfflineShortcut | None:
    """The same for what was checked offline."""
    if not (isinstance(keys, SoftwareMachine) and isinstance(hot, MappedHotState)):
        return None
    more = {"lend_active": keys.lend_active_compact_key, "verdict": _verdict}
    return hot.shortcut(OfflineShortcut, **_judging(keys, policy), **more)


def _judging(keys: SoftwareMachine, policy: ScenePolicy) -> dict[str, Any]:
    return {
        "lend_compact": keys.lend_compact_keys,
        "lend": keys.lend_keys,
        "window": policy.window,
        "profiles": policy.token_profiles,
        "accept_unissued": policy.accept_unissued,
    }


def _verdict(card: CardStatus, profile: str) -> Any:
    return accepted(card, Profile(profile))
