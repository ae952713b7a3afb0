import pytest

from ehc.codes.policy import scene_policy
from ehc.config import Settings
from ehc.crypto import Window
from ehc.errors import ConfigError
from ehc.model import Profile


def test_the_defaults() -> None:
    policy = scene_policy(Settings())
    assert policy.window == Window(60, 300, "expiry")
    assert [s for s in ("000000", "010101", "010102", "010103", "010105") if policy.uses(s)] == ["010105"]
    assert not policy.accept_unissued


def test_the_matrix_is_the_settings() -> None:
    policy = scene_policy(Settings(static_scenes=("000000",)))
    assert policy.allows("000000", Profile.STATIC)
    assert not policy.allows("010101", Profile.STATIC)


def test_dynamic_codes_serve_everywhere() -> None:
    policy = scene_policy(Settings(static_scenes=()))
    assert all(policy.allows(scene, Profile.N) for scene in ("000000", "010101", "010105", "990000"))


def test_a_static_code_cannot_be_of_single_use() -> None:
    with pytest.raises(ConfigError, match="010105"):
        scene_policy(Settings(static_scenes=("010101", "010105")))
