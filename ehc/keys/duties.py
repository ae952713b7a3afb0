"""Who administers a crypto machine and its keyring, after the access control of GM/T 0030: THE table role × duty.

A duty of which nobody enrolled is in charge is anybody's who reaches the keyring; from the first who is enrolled on, it
takes the credential of one who is. One person, and one key, has one role.
"""

from __future__ import annotations

import enum

from ehc.keys.audit import Role


class Duty(enum.StrEnum):
    """What is done to a machine or to its keyring, beside what it does for the service."""

    KEYS = "keys"  # made, imported, changed, sent, given to a machine
    ENROL = "enrol"  # who is in charge
    START = "start"  # of a machine that serves; its stop is the same person's
    SELF_TEST = "self-test"  # on demand


_TABLE = {
    Role.SUPER_MANAGER: {Duty.ENROL},
    Role.MANAGER: {Duty.KEYS, Duty.ENROL, Duty.SELF_TEST},  # 管理员
    Role.OPERATOR: {Duty.START, Duty.SELF_TEST},  # 操作员
    Role.AUDIT_MANAGER: set[Duty](),  # these two read the log, for which no key is opened and nobody is asked
    Role.AUDITOR: set[Duty](),  # 审计员
    Role.USER: set[Duty](),  # a custodian: acts through dual control alone
}


def duties(role: Role) -> frozenset[Duty]:
    """What somebody of this role may do."""
    return frozenset(_TABLE[role])
