"""The life of a key (密钥生命周期): its states, what it is for, and what may be done with it in which state.

The states are those of NIST SP 800-57 part 1 (5.3) and GM/T 0051; `_TABLE` is the one place that says what each allows.
"""

from __future__ import annotations

import enum


class Purpose(enum.StrEnum):
    """What a key is for."""

    SECURITY_KEY = "security_key"  # 安全密钥: makes card ids
    PROTECTION_KEY = "protection_key"  # 保护密钥: makes validity tokens
    MAC_KEY = "mac_key"  # MAC密钥
    WRAPPING_KEY = "wrapping_key"  # 密钥加密密钥
    SIGNING_KEY = "signing_key"  # 签名密钥 (SM2)

    @property
    def size(self) -> int:
        """Bytes: 16 of an SM4 key, 32 of an SM2 private key."""
        return 32 if self is Purpose.SIGNING_KEY else 16

    @property
    def usages(self) -> frozenset[Usage]:
        """All that a key of this purpose may ever be used for."""
        return _USAGES[self]


class Usage(enum.StrEnum):
    """What a version is bound to."""

    DERIVE = "derive"
    SEAL = "seal"
    MAC = "mac"
    WRAP = "wrap"
    SIGN = "sign"


_USAGES = {
    Purpose.SECURITY_KEY: frozenset({Usage.DERIVE}),
    Purpose.PROTECTION_KEY: frozenset({Usage.SEAL, Usage.WRAP}),  # wrap: the secrets of apps, app_secrets.py
    Purpose.MAC_KEY: frozenset({Usage.MAC}),
    Purpose.WRAPPING_KEY: frozenset({Usage.WRAP}),
    Purpose.SIGNING_KEY: frozenset({Usage.SIGN}),
}


class KeyState(enum.StrEnum):
    """Where a version stands in its life."""

    PRE_ACTIVE = "pre_active"  # 预激活: made, not in use yet
    ACTIVE = "active"  # 激活: makes and checks; the newest active version makes
    SUSPENDED = "suspended"  # 挂起: makes and checks nothing until it is cleared
    DEACTIVATED = "deactivated"  # 停用: checks what it made before
    COMPROMISED = "compromised"  # 泄露: only what gets people away from it
    ARCHIVED = "archived"  # 归档: its bytes are in a backup alone
    DESTROYED = "destroyed"  # 销毁: its bytes are nowhere


class Operation(enum.StrEnum):
    """What is done with a version."""

    DERIVE = "derive"  # card ids that are given out
    BACKFILL = "backfill"  # card ids that nobody gets until the version is active: re-keying prepares them
    LOOK_UP = "look_up"  # card ids that were given out are recognised
    SEAL = "seal"
    OPEN = "open"
    MAC = "mac"
    CHECK_MAC = "check_mac"
    WRAP = "wrap"
    UNWRAP = "unwrap"
    SIGN = "sign"
    VERIFY = "verify"
    ACTIVATE = "activate"  # from here: what is done to it, not with it
    SUSPEND = "suspend"
    DEACTIVATE = "deactivate"
    COMPROMISE = "compromise"
    ARCHIVE = "archive"
    RESTORE = "restore"
    DESTROY = "destroy"
    EXPORT = "export"  # its bytes leave, sealed: a backup, an envelope, a diversified key

    @property
    def usage(self) -> Usage | None:
        """The usage it needs; None for what is done to a version."""
        return _NEEDS.get(self)

    @property
    def makes(self) -> bool:
        """True: it makes something new. Minimum versions for making bind it, else those for checking."""
        return self in _MAKING


_NEEDS = {
    Operation.DERIVE: Usage.DERIVE,
    Operation.BACKFILL: Usage.DERIVE,
    Operation.LOOK_UP: Usage.DERIVE,
    Operation.SEAL: Usage.SEAL,
    Operation.OPEN: Usage.SEAL,
    Operation.MAC: Usage.MAC,
    Operation.CHECK_MAC: Usage.MAC,
    Operation.WRAP: Usage.WRAP,
    Operation.UNWRAP: Usage.WRAP,
    Operation.SIGN: Usage.SIGN,
    Operation.VERIFY: Usage.SIGN,
}
_MAKING = {
    Operation.DERIVE,
    Operation.BACKFILL,
    Operation.SEAL,
    Operation.MAC,
    Operation.WRAP,
    Operation.SIGN,
}

_MAKE = "derive backfill seal mac wrap sign"
_CHECK = "look_up open check_mac unwrap verify"
_TABLE = {
    KeyState.PRE_ACTIVE: "backfill activate compromise destroy export",
    KeyState.ACTIVE: f"{_MAKE} {_CHECK} suspend deactivate compromise export",
    # a card id is no secret that its key guards: without look-up every holder of one would be a stranger
    KeyState.SUSPENDED: "look_up activate deactivate compromise",
    KeyState.DEACTIVATED: f"{_CHECK} compromise archive destroy export",
    KeyState.COMPROMISED: "look_up unwrap archive destroy",
    KeyState.ARCHIVED: "restore destroy",
    KeyState.DESTROYED: "",
}
"""Which operations a state allows; everything else is refused."""

_ALLOWED = {state: frozenset(map(Operation, text.split())) for state, text in _TABLE.items()}

LEADS_TO = {
    Operation.ACTIVATE: KeyState.ACTIVE,
    Operation.SUSPEND: KeyState.SUSPENDED,
    Operation.DEACTIVATE: KeyState.DEACTIVATED,
    Operation.COMPROMISE: KeyState.COMPROMISED,
    Operation.ARCHIVE: KeyState.ARCHIVED,
    Operation.DESTROY: KeyState.DESTROYED,
}
"""The state after an operation that changes it; RESTORE leads back to the one before ARCHIVE."""


GONE = (KeyState.ARCHIVED, KeyState.DESTROYED)
"""States in which a keyring does not hold the key's bytes."""


def allowed(state: KeyState) -> frozenset[Operation]:
    """What may be done with a version in this state, its usages and the minimum versions aside."""
    return _ALLOWED[state]
