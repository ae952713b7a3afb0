"""One tier of the compiled core in a process of its own: the core chooses its tier once, when it is loaded.

The parent's clock also counts one round trip over a pipe, some 50 µs in a run of 10 ms or more.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from functools import cache
from typing import Any

from contender import Contender
from people import PROTECTION_KEY, SECURITY_KEY, VALIDITY_VECTOR

import ehc.crypto

JOBS = {
    "derive": (
        ehc.crypto.Batch.pack,
        lambda batch: ehc.crypto.derive_batch(batch, SECURITY_KEY),
        lambda derived: derived.hex().card_id,
    ),
    "check": (
        list,
        lambda payloads: ehc.crypto.check_batch(payloads, PROTECTION_KEY, VALIDITY_VECTOR[0]),
        lambda verdicts: verdicts.accepted.tolist(),
    ),
    "sm4": (bytes, lambda data: ehc.crypto.sm4_ecb_encrypt(SECURITY_KEY, data), bytes),
}
"""Name of a job -> prepare, run, answer, as in Contender."""


class Tier:
    """A worker under EHC_ISA=name. Ends with its parent, whose end of the pipe closes."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "EHC_ISA": name, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def ask(self, step: str, *args: Any) -> Any:
        """Have the worker do one step: prepare(job, items), run(), answer()."""
        assert self._process.stdin
        assert self._process.stdout
        pickle.dump((step, args), self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)


@cache
def worker(name: str) -> Tier:
    return Tier(name)


def tiers(job: str, share: int, portable_share: int) -> list[Contender]:
    """The job on each tier that this processor runs."""
    names = [name for name, supported in ehc.crypto.tiers() if supported]
    return [_contender(name, job, portable_share if name == "portable" else share) for name in names]


def _contender(name: str, job: str, share: int) -> Contender:
    return Contender(
        f"ehc, tier {name}",
        share,
        prepare=lambda items: worker(name).ask("prepare", job, items),
        run=lambda _: worker(name).ask("run"),
        answer=lambda _: worker(name).ask("answer"),
    )


def serve() -> None:
    """The worker: reads steps from stdin until it ends, answers on stdout."""
    run = answer = prepared = result = None
    while True:
        try:
            step, args = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        reply = None
        if step == "prepare":
            prepare, run, answer = JOBS[args[0]]
            prepared = prepare(args[1])
        elif step == "run":
            result = run(prepared)
        else:
            reply = answer(result)
        pickle.dump(reply, sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
