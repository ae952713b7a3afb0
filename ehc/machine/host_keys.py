"""The keys of the machine's end of the host protocol: what each may be used for on the wire."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from ehc.crypto import KeyHandle
from ehc.crypto.host import MAKE, OPEN, HostMachine
from ehc.keys.keyring import Keyring
from ehc.keys.life import Operation, Purpose
from ehc.machine.host_text import host_text

log = logging.getLogger("ehc.machine")

_MAKING = (Operation.DERIVE, Operation.BACKFILL, Operation.LOOK_UP, Operation.SEAL)
_OPENING = (Operation.LOOK_UP, Operation.OPEN)
SELF_TEST = 30  # EHC_HOST_SELFTEST


class HostKeys:
    """Calling it gives the machine as its keyring is now."""

    def __init__(self) -> None:
        self._machine, self._refuses = HostMachine({}, {}, b"ehc"), 0
        self._counts = (
            self._machine.counts
        )  # gone on with by every machine after it; the keys of those before are wiped

    def __call__(self) -> HostMachine:
        return self._machine

    def take_over(self, keyring: Keyring) -> None:
        """From now on the keys of an open keyring, which may be wiped then."""
        if self._refuses:
            return
        security, protection = _keys(keyring, Purpose.SECURITY_KEY), _keys(keyring, Purpose.PROTECTION_KEY)
        self._machine = HostMachine(security, protection, host_text(keyring), 0, self._counts)

    def refuse(self, why: str) -> None:
        """The error state: every command but NC and CR gets the code of a failed self-test, whatever is taken over."""
        log.error("this machine refuses work: %s", why)
        self._refuses = SELF_TEST
        self._machine = HostMachine({}, {}, b"ehc", SELF_TEST, self._counts)

    def counts(self) -> NDArray[np.uint32]:
        """What was done since the start, [operation, key version]."""
        return self._counts.copy()


def _keys(keyring: Keyring, purpose: Purpose) -> dict[int, tuple[KeyHandle, int]]:
    """S3 under a factor may recognise card ids as well as make them: the wire does not say which."""
    own = [entry for entry in keyring.entries if entry.purpose is purpose and entry.raw]
    return {
        entry.version: (
            entry.handle(),
            MAKE * any(keyring.may(entry, operation) for operation in _MAKING)
            | OPEN * any(keyring.may(entry, operation) for operation in _OPENING),
        )
        for entry in own
    }
