"""Destroying a version (密钥销毁): two custodians, then a delay in which anyone of them may cancel.

request (one custodian) -> approve (another) -> the delay passes -> destroy
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from ehc.errors import Conflict, InputError, NotFound
from ehc.keys.keyring import Entry, Keyring, Operation, Purpose
from ehc.keys.office import Destruction, Signer
from ehc.model import CST

DEFAULT_DELAY = 7 * 24 * 3600
MIN_DELAY = 3600


def request(
    keyring: Keyring, purpose: Purpose, version: int, signer: Signer, now: int, *, delay: int = DEFAULT_DELAY
) -> Destruction:
    """The first custodian's. delay: seconds between the second approval and the day it may be done.

    Raises Conflict when the state does not allow it or it is requested already; Forbidden, NotFound.
    """
    entry = keyring.entry(purpose, version)
    keyring.require(entry, Operation.DESTROY)
    if delay < MIN_DELAY:
        raise InputError(f"the delay is {delay} s: take at least {MIN_DELAY}, so that somebody can still cancel")
    if _find(keyring, purpose, version):
        raise Conflict(f"the destruction of {entry.named()} is requested already: another custodian approves it")
    made = Destruction(purpose=purpose, version=version, check_value=entry.check_value, requested_at=now, delay=delay)
    made = _approved(keyring, made, signer, now)
    keyring.office.destructions.append(made)
    keyring.note("destroy_request", entry, f"by {signer.identity.name}")
    return made


def approve(keyring: Keyring, purpose: Purpose, version: int, signer: Signer, now: int) -> Destruction:
    """The second custodian's; the delay begins. Raises NotFound, Forbidden; Conflict for one who approved before."""
    pending = _pending(keyring, purpose, version)
    if signer.identity.name in [one.name for one in pending.approvals]:
        raise Conflict(f"{signer.identity.name} has approved this already: it takes another custodian")
    made = _approved(keyring, pending, signer, now)
    keyring.office.require_two(made.approvals, made.text())
    keyring.office.destructions[keyring.office.destructions.index(pending)] = made
    keyring.note("destroy_approve", keyring.entry(purpose, version), f"by {signer.identity.name}")
    return made


def cancel(keyring: Keyring, purpose: Purpose, version: int, signer: Signer, now: int) -> None:
    """Anyone of the custodians, at any time before. Raises NotFound, Forbidden."""
    pending = _pending(keyring, purpose, version)
    keyring.office.approval(signer, b"ehc cancel v1\n" + pending.text(), now)
    keyring.office.destructions.remove(pending)
    keyring.note("destroy_cancel", keyring.entry(purpose, version), f"by {signer.identity.name}")


def destroy(keyring: Keyring, purpose: Purpose, version: int, now: int) -> Entry:
    """Now. Raises NotFound, Forbidden without two approvals, Conflict before the day."""
    pending = _pending(keyring, purpose, version)
    keyring.office.require_two(pending.approvals, pending.text())
    if pending.due is None or now < pending.due:
        day = datetime.fromtimestamp(pending.due or 0, CST)
        raise Conflict(f"{purpose} version {version} is not destroyed before {day:%Y-%m-%d %H:%M:%S} (CST)")
    by = " and ".join(one.name for one in pending.approvals)
    gone = keyring.step(purpose, version, Operation.DESTROY, now, f"by {by}")
    keyring.office.destructions.remove(pending)
    return gone


def _approved(keyring: Keyring, pending: Destruction, signer: Signer, now: int) -> Destruction:
    approval = keyring.office.approval(signer, pending.text(), now)
    return msgspec.structs.replace(pending, approvals=(*pending.approvals, approval))


def _find(keyring: Keyring, purpose: Purpose, version: int) -> Destruction | None:
    every = keyring.office.destructions
    return next((one for one in every if (one.purpose, one.version) == (purpose, version)), None)


def _pending(keyring: Keyring, purpose: Purpose, version: int) -> Destruction:
    found = _find(keyring, purpose, version)
    if found is None:
        raise NotFound(f"the destruction of {purpose} version {version} is not requested: a custodian does that first")
    return found
