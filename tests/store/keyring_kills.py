"""kill -9 at every call into C of a change of the keyring, over one folder that goes on and on.

    PYTHONPATH=tests python tests/store/keyring_kills.py --points 5000 --seed 1

Each point: a child makes a key or leads it on to its next state and is killed before its n-th call into C (each effect
on the disk is one), or comes through and says so. Then: the keyring opens; every acknowledged change is in it; the one
that was cut off is there whole or not at all, once; no version is there twice; the audit log verifies, by the code that
did not write it.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

from ehc.crypto.sm2 import PrivateKey, PublicKey
from ehc.keys.audit_verifier import verify
from ehc.keys.keyring import Keyring, KeyState, Operation, Purpose
from ehc.store.keyring_folder import KeyringFolder

NOW = 1_767_225_600
MAC = Purpose.MAC_KEY
NEXT = {
    KeyState.PRE_ACTIVE: Operation.ACTIVATE,
    KeyState.ACTIVE: Operation.DEACTIVATE,
    KeyState.DEACTIVATED: Operation.DESTROY,
}


def change(folder: KeyringFolder, number: int) -> None:
    """A new key, or the next state of the last one; each is seen in the states of the keyring."""
    with folder.change() as ring:
        last = [e for e in ring.entries if e.purpose is MAC][-1:]
        if last and last[0].state in NEXT:
            ring.step(MAC, last[0].version, NEXT[last[0].state], NOW)
        else:
            ring.add(MAC, bytearray(number.to_bytes(16, "big")), NOW, state=KeyState.PRE_ACTIVE)


def die_at(point: int):
    def hook(frame, event, argument):
        nonlocal point
        if event == "c_call":
            point -= 1
            if not point:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def killed(folder: KeyringFolder, number: int, point: int) -> bool:
    """Whether the child was killed; else its change was acknowledged."""
    child = os.fork()
    if not child:
        try:
            sys.setprofile(die_at(point))
            change(folder, number)
            sys.setprofile(None)
            os._exit(0)
        finally:
            os._exit(99)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), f"the child ended with {status}"
    return status != 0


def states(folder: KeyringFolder) -> list[tuple[str, int, str, int]]:
    with folder.open() as ring:
        found = [(e.purpose.value, e.version, e.state.value, len(e.history)) for e in ring.entries]
    assert len({row[:2] for row in found}) == len(found), "a version is there twice"
    return found


def accepts(key: bytes, signature: bytes, message: bytes) -> bool:
    return PublicKey(key).verify(signature, message)


def check_log(folder: KeyringFolder) -> None:
    checkpoints = folder.audit.checkpoints
    points = checkpoints.read_bytes() if checkpoints.exists() else b""
    report = verify(folder.audit.path.read_bytes(), points, accepts)
    assert not report.findings, report.findings


def new_folder(path: Path) -> KeyringFolder:
    folder, raw = KeyringFolder(path), bytearray(32)
    PrivateKey.generate().write_raw(raw)
    with Keyring() as ring:
        ring.add(Purpose.SIGNING_KEY, raw, NOW)
        folder.create(ring)
    return folder


def campaign(root: Path, points: int, seed: int, per_folder: int = 40) -> str:
    chance, done, whole, absent, longest = random.Random(seed), 0, 0, 0, 600
    acknowledged = 0
    while done < points:
        folder = new_folder(root / f"keyring{done}")
        for number in range(done, min(done + per_folder, points)):
            before = states(folder)
            if killed(folder, number + 1, chance.randint(1, longest)):
                after = states(folder)
                whole, absent = whole + (after != before), absent + (after == before)
                assert sum(row[3] for row in after) - sum(row[3] for row in before) in (0, 1), "more than one change"
            else:
                acknowledged += 1
                after = states(folder)
                assert sum(row[3] for row in after) - sum(row[3] for row in before) == 1, "acknowledged and not there"
            check_log(folder)
        done += per_folder
        print(f"{done} points", file=sys.stderr, flush=True)
    return (
        f"{points} points: {whole + absent} kills, {acknowledged} came through; of the changes cut off {whole} are "
        f"there whole, {absent} not at all; nothing acknowledged is lost, nothing is doubled, every log verifies"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(campaign(Path(name), options.points, options.seed))


if __name__ == "__main__":
    main()
