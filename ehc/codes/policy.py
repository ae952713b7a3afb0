"""Scene policy: which kind of code serves where, which serves once, and the time window (△ native/README.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ehc.config import Settings
from ehc.crypto import Profiles, Window
from ehc.errors import ConfigError
from ehc.model import Profile


@dataclass(frozen=True, slots=True)
class ScenePolicy:
    """Scenes (诊疗环节) are six digits. Dynamic codes serve in every scene, all others where static ones do."""

    static_scenes: frozenset[str]
    single_use_scenes: frozenset[str]
    validity: int  # seconds a dynamic code lives
    refresh: int  # seconds until an app shows a new one
    tolerance: int  # seconds two clocks may differ
    time: Literal["expiry", "issue"]  # what a token's time means
    accept_unissued: bool  # authentic codes that other systems issued
    profiles: frozenset[Profile]  # of dynamic codes that are accepted
    bound_scenes: frozenset[str]  # where a national dynamic code is not enough

    def __post_init__(self) -> None:
        both = sorted(self.static_scenes & self.single_use_scenes)
        if both:
            raise ConfigError(f"scene {both[0]} is in static_scenes and single_use_scenes: a static code never ends")
        if self.bound_scenes and not self.profiles - {Profile.N}:
            raise ConfigError("bound_scenes takes national codes out of scenes in which accept_profiles has no others")

    @property
    def window(self) -> Window:
        return Window(self.tolerance, self.validity, self.time)

    @property
    def token_profiles(self) -> Profiles:
        """What the crypto machine tries on a token; the national form always, so that a refusal can name it."""
        return Profiles.NATIONAL | Profiles.BOUND if Profile.A in self.profiles else Profiles.NATIONAL

    def allows(self, scene: str, profile: Profile) -> bool:
        if len(scene) != 6 or not (scene.isascii() and scene.isdigit()):
            return False
        if profile is Profile.STATIC:
            return scene in self.static_scenes
        return profile in self.profiles and not (profile is Profile.N and scene in self.bound_scenes)

    def uses(self, scene: str) -> int:
        """How many may use one dynamic code in this scene; 0: as many as come while it lives."""
        return int(scene in self.single_use_scenes)


def scene_policy(settings: Settings) -> ScenePolicy:
    """The policy that the settings describe. Raises ConfigError where they contradict themselves."""
    return ScenePolicy(
        static_scenes=frozenset(settings.static_scenes),
        single_use_scenes=frozenset(settings.single_use_scenes),
        validity=settings.validity_seconds,
        refresh=settings.refresh_seconds,
        tolerance=settings.tolerance_seconds,
        time=settings.token_time,
        accept_unissued=settings.accept_unissued,
        profiles=frozenset(map(Profile, settings.accept_profiles)),
        bound_scenes=frozenset(settings.bound_scenes),
    )
