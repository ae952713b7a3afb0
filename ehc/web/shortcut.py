"""Verification from body to answer by native calls, where this process itself holds the keys.

What is not plain, and every refusal, goes the long way (handlers/verify.py), which says why. What is accepted here
would be accepted there, with the same bytes and the same claim (tests/web/test_shortcut.py).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from ehc.access.caller import Caller
from ehc.codes.policy import ScenePolicy, scene_policy
from ehc.codes.visit import holder_of, place_of
from ehc.model import AccountState, CardStatus, Profile
from ehc.ports import ShortWay
from ehc.web.render import verify as render
from ehc.web.wire.verify import VerifyRequest
from ehc.wiring import shortcuts
from ehc.wiring.services import Services


class Shortcut:
    """Of one process."""

    def __init__(self, services: Services, way: ShortWay, policy: ScenePolicy) -> None:
        self._disabled, self._way, self._policy = services.disabled, way, policy
        self.verify = way.verify
        self._disabled.on_change.append(way.unlearn)

    def learn(self, body: bytes, request: VerifyRequest, caller: Caller) -> None:
        """Of a request that was answered the long way: of others like it only the code has to be looked at."""
        institution, terminal = caller.institution or request.institution, request.terminal
        if self._disabled.has(institution, terminal):
            return
        profiles, uses = self._policy.in_scene(request.scene)
        place = place_of(institution, terminal)
        self._way.learn(
            caller.institution,
            body,
            request.payload,
            head=_head(request.scene),
            profiles=_set_of(profiles),
            uses=uses,
            holder=holder_of(place),
            name=place,
            seen=(institution, terminal) if institution is not None and terminal is not None else None,
        )


def open_shortcut(services: Services) -> Shortcut | None:
    """None where the keys are elsewhere."""
    policy, see = scene_policy(services.settings), services.sightings.see
    way = shortcuts.open_shortcut(services.keys, services.hot, policy, show=_shown, end=_end, see=see)
    return None if way is None else Shortcut(services, way, policy)


_set_of = lru_cache(64)(frozenset[Profile])
"""One for all places with the same policy."""


# The parts of an answer, cut out of whole ones.

_NAME, _EXPIRES_AT, _VISIT = b'"name":', b',"expires_at":', b'"visit":null'
_NOBODY = CardStatus(0, "", AccountState.NORMAL, "")


def _answer(
    scene: str = "", card: CardStatus = _NOBODY, expiry: int | None = None, profile: Profile = Profile.N
) -> bytes:
    return msgspec.json.encode(render.accepted(scene, card, expiry, profile, None, degraded=False))


@lru_cache(1024)
def _head(scene: str) -> bytes:
    return _answer(scene).partition(_NAME)[0]


def _shown(card: CardStatus) -> bytes:
    _, name, rest = _answer(card=card).partition(_NAME)
    return name + rest.partition(_EXPIRES_AT)[0]


def _end(profile: str, expiry: int | None) -> tuple[bytes, bytes]:
    _, expires_at, rest = _answer(expiry=expiry, profile=Profile(profile)).partition(_EXPIRES_AT)
    before, _, after = rest.partition(_VISIT)
    return expires_at + before + b'"visit":', after
