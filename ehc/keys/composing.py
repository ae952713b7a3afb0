"""A key from components (密钥合成): several custodians each bring one, the key is their XOR.

Nobody sees the key, and all but one together know nothing about it. The components so far stay sealed in the keyring,
so that the custodians may come one after the other.
"""

from __future__ import annotations

from ehc.crypto import KeyHandle, sm3, wipe
from ehc.errors import Conflict, InputError
from ehc.keys.keyring import KEY_BYTES, Entry, Keyring, KeyState, Purpose
from ehc.keys.office import Component, Composition


def check_values(component: bytearray) -> tuple[str, str]:
    """The two values by which a custodian knows that it was typed rightly: 6 hex digits of SM4 of the zero block under
    it, 8 of SM3 of it."""
    return KeyHandle(component).check_value, sm3(component).hex().upper()[:8]


def add_component(
    keyring: Keyring, purpose: Purpose, count: int, *, name: str, component: bytearray, now: int
) -> Composition | Entry:
    """Take one in; with the last one the key is made, pre-active. component: 16 bytes, yours to wipe.

    Raises InputError for a purpose that is not SM4's, a count below 2, a component of zeros; Conflict when this
    custodian has entered one, or another count was begun.
    """
    if purpose.size != KEY_BYTES or count < 2:
        raise InputError(f"a {purpose} of {count} components: SM4 keys alone are composed, of at least 2")
    if not any(component):
        raise InputError("a component of zeros adds nothing: bring random ones")
    composing = _begun(keyring, purpose, count)
    if name in [one.name for one in composing.entered]:
        raise Conflict(f"{name} has entered a component of this {purpose} already: it takes another custodian")
    for i, byte in enumerate(component):
        composing.value[i] ^= byte
    composing.entered.append(Component(name, *check_values(component)))
    keyring.note_of("component", purpose, f"{len(composing.entered)} of {count} by {name}")
    return composing if len(composing.entered) < count else _made(keyring, composing, now)


def _begun(keyring: Keyring, purpose: Purpose, count: int) -> Composition:
    for one in keyring.office.compositions:
        if one.purpose is purpose:
            if one.count != count:
                raise Conflict(f"a {purpose} of {one.count} components is begun: go on with that number")
            return one
    made = Composition(purpose=purpose, count=count, entered=[], value=bytearray(KEY_BYTES))
    keyring.office.compositions.append(made)
    return made


def _made(keyring: Keyring, composing: Composition, now: int) -> Entry:
    if not any(composing.value):
        raise InputError("the components give a key of zeros: two are the same; nothing was stored")
    entry = keyring.add(composing.purpose, composing.value, now, state=KeyState.PRE_ACTIVE)
    wipe(composing.value)
    keyring.office.compositions.remove(composing)
    keyring.note("compose", entry, "of " + ", ".join(one.name for one in composing.entered))
    return entry
