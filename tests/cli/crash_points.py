"""Kills `ehc derive` with SIGKILL at every call that changes a file, then lets the same command finish.

Run as a process of its own: it loads the command once and forks a child for each attempt. Prints one JSON object:
{"points": number of places where a child was killed, "wrong": [places after which the outcome differed]}.
"""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from ehc.cli import main

CONFLICT = 7  # exit code
CHANGES = ["fsync", "replace", "unlink", "rmdir", "mkdir"]


def die_at(point):
    """Die before the point-th call of CHANGES: with all that stands after the one before it, and no more."""
    left = [point]

    def watched(call):
        def change(*arguments, **options):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return change

    for name in CHANGES:
        setattr(os, name, watched(getattr(os, name)))


def command(arguments):
    """Run the command here; returns its exit code."""
    sys.argv = ["ehc", *arguments]
    try:
        main.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def attempt(arguments, prepare=lambda: None):
    """Run the command in a child; returns its exit code, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            os._exit(command(arguments))
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def outcome(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def tear(folder, output):
    """Leave the parts with the beginning of a write that was under way, as long as any may be."""
    journal = folder / f"{output}.progress"
    if not journal.exists() or not json.loads(journal.read_bytes())["progress"]["finishing"]:
        for part in folder.glob("*.part"):
            with part.open("ab") as torn:
                torn.write(b"\0torn")


def finishes_alike(arguments, folder, output, undisturbed):
    """A run whose journal had gone was through: it left its lock at most, and now it is told says that CARDS exists."""
    through = (folder / output).exists() and not (folder / f"{output}.progress").exists()
    code = attempt(arguments)
    return code == (CONFLICT if through else 0) and outcome(folder) == undisturbed


def run(options, output, undisturbed):
    wrong = []
    for point in range(1, 1000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            arguments = [*options, "-o", str(folder / output)]
            if attempt(arguments, lambda point=point: die_at(point)) != -signal.SIGKILL:
                return {"points": point - 1, "wrong": wrong}
            tear(folder, output)
            if not finishes_alike(arguments, folder, output, undisturbed):
                wrong.append(point)
    raise RuntimeError("the command does not end")


if __name__ == "__main__":
    output, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        if command([*options, "-o", str(Path(name) / output)]) != 0:  # here: what it loads is loaded for all children
            sys.exit("the undisturbed run failed")
        print(json.dumps(run(options, output, outcome(Path(name)))))
