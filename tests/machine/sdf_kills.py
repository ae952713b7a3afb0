"""kill -9 over the folder of libehcsdf.so: `python tests/machine/sdf_kills.py --kills 300` is a campaign.

A process adds KEKs, makes, overwrites and deletes files, and says on a pipe what it is about to do and what is done.
It is killed somewhere in between; then the folder is opened: what was acknowledged is there, what was begun is there
whole or not at all, and no record is torn.
"""

import argparse
import ctypes
import os
import random
import subprocess
import sys
import tempfile
import time
from ctypes import byref, c_uint32, c_void_p, create_string_buffer
from datetime import UTC, datetime
from pathlib import Path

from ehc.crypto import sdf_device
from ehc.errors import Conflict

SIZE = 600
_CHILD = """
import itertools, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from sdf_kills import Folder
Folder(Path(sys.argv[2])).work(int(sys.argv[3]))
"""


class Folder:
    """A session with the machine of a folder."""

    def __init__(self, home):
        self.home = home
        os.environ["EHC_SDF_HOME"] = str(home)
        self.library, device, self.session = ctypes.CDLL(str(sdf_device.LIBRARY)), c_void_p(), c_void_p()
        assert self.library.SDF_OpenDevice(byref(device)) == 0, "the folder does not open"
        assert self.library.SDF_OpenSession(device, byref(self.session)) == 0

    def write(self, name, content):
        return self.library.SDF_WriteFile(self.session, name, len(name), 0, len(content), content)

    def read(self, name):
        """None: no such file."""
        out, length = create_string_buffer(SIZE), c_uint32(SIZE)
        status = self.library.SDF_ReadFile(self.session, name, len(name), 0, byref(length), out)
        assert status in (0, 0x01000012), f"{name}: 0x{status & 0xFFFFFFFF:08X}"
        return None if status else out.raw[: length.value]

    def work(self, first):
        """Until killed: each deed is named before it is done, and acknowledged after."""
        for number in range(first, first + 100_000):
            name, fill = b"f%d" % (number % 7), bytes([number % 251]) * SIZE
            deed = ("kek", "create", "write", "write", "delete")[number % 5]
            print(deed, number, flush=True)
            if deed == "kek" and number // 5 < 1024:
                sdf_device.add_kek(self.home, 1 + number // 5)
            elif deed == "create":
                self.library.SDF_CreateFile(self.session, name, len(name), SIZE)
            elif deed == "write":
                self.write(name, fill)
            elif deed == "delete":
                self.library.SDF_DeleteFile(self.session, name, len(name))
            print("done", self.state(name), flush=True)

    def state(self, name):
        """What a file holds, in a word: every byte of it is the same."""
        content = self.read(name)
        if content is None:
            return "absent"
        assert len(set(content)) == 1, f"{name} is torn"
        return str(content[0])


def killed_once(home, first, seconds):
    """The lines of a process that was killed, and the number it would have gone on with."""
    command = [sys.executable, "-c", _CHILD, str(Path(__file__).parent), str(home), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()  # it is at work
        time.sleep(seconds)
        process.kill()
        said += process.stdout.read()
    *whole, _ = said.split("\n")  # what was not said to its end was not begun, or not acknowledged
    return [line.split() for line in whole]


def judge(home, lines, known):
    """known: name -> state that was acknowledged last; brought up to date. keks: numbers acknowledged."""
    files, keks = known
    begun = None
    for line in lines:
        if line[0] == "done" and begun is not None:
            if begun[0] == "kek":
                keks.add(1 + int(begun[1]) // 5)
            files[int(begun[1]) % 7] = line[1]
            begun = None
        elif line[0] != "done":
            begun = line
    folder = Folder(home)
    for name, state in list(files.items()):
        found = folder.state(b"f%d" % name)
        if begun is not None and int(begun[1]) % 7 == name:
            assert found in {state, "absent", "0", str(int(begun[1]) % 251)}, f"f{name}: {found} after {begun}"
        else:
            assert found == state, f"f{name}: {found}, acknowledged was {state}"
        files[name] = found
    for index in keks:
        try:
            sdf_device.add_kek(home, index)
        except Conflict:
            continue
        raise AssertionError(f"KEK {index} was acknowledged and is lost")
    return 1 + max((int(line[1]) for line in lines if line[0] != "done"), default=0)


def campaign(home, kills, seed=1):
    """Raises AssertionError for anything lost, doubled or torn; gives the number of deeds acknowledged."""
    sdf_device.create(home, datetime.now(UTC))
    chance, first, known, acknowledged = random.Random(seed), 0, ({}, set()), 0
    for _ in range(kills):
        lines = killed_once(home, first, chance.uniform(0, 0.05))
        acknowledged += sum(line[0] == "done" for line in lines)
        first = max(first, judge(home, lines, known))
    return acknowledged


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=300)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(
            f"{asked.kills} kills, {campaign(Path(place) / 'home', asked.kills)} deeds acknowledged, none lost or torn"
        )
