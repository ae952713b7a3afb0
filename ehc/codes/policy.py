"""Scene policy: which kind of code serves where, which serves once, and the time window (△ native/README.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ehc.config import Settings
from ehc.crypto import Profiles, Window
from ehc.errors import ConfigError
from ehc.model import Profile


class SceneRule(NamedTuple):
    profiles: tuple[Profile, ...]  # that serve in the scene
    uses: int  # how many may use one dynamic code; 0: as many as come while it lives


_NO_SCENE = SceneRule((), 0)


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
    _named: dict[str, SceneRule] = field(init=False, repr=False, compare=False)
    _unnamed: SceneRule = field(init=False, repr=False, compare=False)  # of all scenes that nothing is said of

    def __post_init__(self) -> None:
        named = self.static_scenes | self.single_use_scenes | self.bound_scenes
        object.__setattr__(self, "_named", {scene: self._rule(scene) for scene in named if _is_scene(scene)})
        object.__setattr__(self, "_unnamed", self._rule(""))
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
        return profile in self.in_scene(scene).profiles

    def uses(self, scene: str) -> int:
        """How many may use one dynamic code in this scene; 0: as many as come while it lives."""
        return self.in_scene(scene).uses

    def in_scene(self, scene: str) -> SceneRule:
        named = self._named.get(scene)
        if named is not None:
            return named
        return self._unnamed if _is_scene(scene) else _NO_SCENE

    def _rule(self, scene: str) -> SceneRule:
        refused = {Profile.N} if scene in self.bound_scenes else set()
        static = {Profile.STATIC} if scene in self.static_scenes else set()
        return SceneRule(
            tuple(self.profiles - {Profile.STATIC} - refused | static), int(scene in self.single_use_scenes)
        )


def _is_scene(text: str) -> bool:
    return len(text) == 6 and text.isascii() and text.isdigit()


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
