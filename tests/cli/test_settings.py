"""The settings file and EHC_*: what is refused is named, with what there is."""

from pathlib import Path

import pytest

from ehc.config import load
from ehc.errors import ConfigError


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"EHC_PROFILES": "N"}, r"`\$\.profiles\[0\]`; there are do$"),
        ({"EHC_ACCEPT_PROFILES": "N, Z"}, r"'Z' - at `\$\.accept_profiles\[1\]`; there are A, E2, E3, N$"),
        ({"EHC_TOKEN_TIME": "never"}, r"`\$\.token_time`; there are expiry, issue$"),
        ({"EHC_PORT": "x"}, r"Expected `int`, got `str` - at `\$\.port`$"),
        ({"EHC_PORTS": "1"}, "EHC_PORTS: no such setting; there are EHC_ACCEPT_PROFILES, "),
    ],
)
def test_a_setting_that_is_refused_is_named_with_what_there_is(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(environ)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ports = 1", "unknown field `ports`"),
        ('token_time = "never"', r"token_time` \(in .*settings.toml or EHC_\*\); there are expiry, issue$"),
        ("port = ", "is not TOML"),
    ],
)
def test_so_is_one_of_the_file(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load({}, file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        load({}, tmp_path / "nowhere.toml")


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("port = 1\nworkers = 3")
    settings = load({"EHC_CONFIG": str(file), "EHC_PORT": "2"})
    assert (settings.port, settings.workers) == (2, 3)
