"""`ehc serve` for tests that talk to it over real connections."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ehc.config import Settings
from ehc.keys.keyring import Keyring, Purpose
from ehc.wiring.keys import keyring_folder


def settings_of(home: Path, **changes: object) -> Settings:
    """Of a service whose keyring is there, with the keys of the vectors."""
    made = Settings(home=str(home), **changes)
    with Keyring() as keyring:
        keyring.add(Purpose.SECURITY_KEY, bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210"), 0)
        keyring.add(Purpose.PROTECTION_KEY, bytearray.fromhex("11223344556677888877665544332211"), 0)
        keyring_folder(made).create(keyring)
    return made


def workers_of(process: "subprocess.Popen[str]") -> set[int]:
    """Their process ids."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
    return {int(child) for child in children.split()}


def log_of(settings: Settings) -> str:
    return (settings.home_path() / "service.log").read_text("utf-8")


def last_of_log(settings: Settings, lines: int = 20) -> str:
    """For the message of an assertion: what the service said last of anything but requests that went well."""
    told = [line for line in log_of(settings).splitlines() if '"level": "info"' not in line]
    return "\n".join(told[-lines:])


def tries(seconds: float) -> Iterator[None]:
    """For so many seconds, of which one try counts as five at most: all processes of a campaign may be paused."""
    while seconds > 0:
        begun = time.monotonic()
        yield
        seconds -= min(time.monotonic() - begun, 5)


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    for _ in tries(seconds):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} seconds")
