"""A minimum version that the command sets is what every process goes by, and so is the next one."""

import subprocess
import sys
from pathlib import Path

from minimum_versions import everywhere, processes


def test_a_minimum_version_is_in_effect_in_every_service_and_machine(tmp_path: Path) -> None:
    with processes(tmp_path) as (folder, asked):
        assert [accepts() for accepts in asked] == [True] * 3
        for version, accepted in (("2", False), ("1", True)):
            words = ["keys", "minimum", "protection_key", "--checking", version, "--keyring", str(folder.path)]
            subprocess.run([sys.executable, "-P", "-m", "ehc.cli", *words], check=True)
            everywhere(asked, accepted)
            assert [accepts() for accepts in asked] == [accepted] * 3
