"""The README's examples run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sdk_apps import SECRET

from ehc.sdkauth.act import Act
from ehc.sdkauth.app import AppState, new_app
from ehc.sdkauth.grant import new_grant
from ehc.sdkauth.licence import make
from ehc.sdkauth.registry import AppRegistry
from ehc.wiring.keys import open_authority
from ehc.wiring.stores import open_store

README = (Path(__file__).parents[2] / "ehc/client/README.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"^### (.+?)\n```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE))
SAYS = {
    "A window in a hospital": "98FF9F2C accepted\n",
    "Many at once": "2 codes\n",
    "A licence, checked without a connection": "city-app codes verify\n",
}


def a_licence(running: Any) -> str:
    sealing, authority = open_authority(running.settings)
    store, act = open_store(running.settings), Act(1, "a test", "because")
    apps = AppRegistry(store.sdk_apps, sealing)
    apps.add(new_app("city-app", "市卫健委", 1, package="cn.example.health", certificate=bytes(32), report="r"), act)
    for state in (AppState.REVIEW, AppState.APPROVED):
        apps.move("city-app", state, act)
    new = new_grant("city-app", "ehc-client", "*", ["verify", "codes"], None, begins_at=0, ends_at=1 << 40)
    text = make(authority, apps.find("city-app"), apps.grant(new, act), 1_767_225_600, serial=bytes(16), seconds=60)
    store.close()
    return text


def test_there_are_these_examples() -> None:
    assert set(EXAMPLES) == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_the_example_runs(name: str, running: Any, private: Any) -> None:
    given = {"URL": running.url, "KEY_ID": "k-hmac", "KEY_FILE": str(private("key.hex", SECRET.hex()))}
    if "LICENCE" in EXAMPLES[name]:
        given["LICENCE"] = str(private("ehc.licence", a_licence(running)))
    command = [sys.executable, "-W", "ignore", "-c", EXAMPLES[name]]
    done = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, SAYS[name]), done.stderr
