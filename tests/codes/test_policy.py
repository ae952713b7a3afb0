import pytest

from ehc.codes.policy import scene_policy
from ehc.config import Settings
from ehc.crypto import Window, parse_payload
from ehc.errors import ConfigError

CARD = "AB" * 32
DYNAMIC = parse_payload(f"{CARD}:0:{'0' * 32}")


def test_the_defaults() -> None:
    policy = scene_policy(Settings())
    assert policy.window == Window(60, 300, "expiry")
    assert [s for s in ("000000", "010101", "010102", "010103", "010105") if policy.single_use(s)] == ["010105"]
    assert not policy.accept_unissued


@pytest.mark.parametrize("text", [f"{CARD}:1", f"{CARD}:9", CARD])
def test_the_matrix_is_the_settings(text: str) -> None:
    policy = scene_policy(Settings(static_scenes=("000000",)))
    assert policy.allows("000000", parse_payload(text))
    assert not policy.allows("010101", parse_payload(text))


def test_dynamic_codes_serve_everywhere() -> None:
    policy = scene_policy(Settings(static_scenes=()))
    assert all(policy.allows(scene, DYNAMIC) for scene in ("000000", "010101", "010105", "990000"))


def test_a_static_code_cannot_be_of_single_use() -> None:
    with pytest.raises(ConfigError, match="010105"):
        scene_policy(Settings(static_scenes=("010101", "010105")))
