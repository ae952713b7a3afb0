"""Every state × every operation, on a real keyring: exactly what the table below allows, and nothing else."""

import pytest

from ehc.errors import Conflict, InputError, NotFound
from ehc.keys.keyring import Entry, Keyring, KeyState, Minimum, Operation, Purpose, Usage, new_entry

NOW, LATER = 1_767_225_600, 1_767_225_700
SECURITY, PROTECTION = Purpose.SECURITY_KEY, Purpose.PROTECTION_KEY

# one column a state:  pre_active active suspended deactivated compromised archived destroyed
EXPECTED = """
derive                 no         yes    no        no          no          no       no
backfill               yes        yes    no        no          no          no       no
look_up                no         yes    yes       yes         yes         no       no
seal                   no         yes    no        no          no          no       no
open                   no         yes    no        yes         no          no       no
mac                    no         yes    no        no          no          no       no
check_mac              no         yes    no        yes         no          no       no
wrap                   no         yes    no        no          no          no       no
unwrap                 no         yes    no        yes         yes         no       no
sign                   no         yes    no        no          no          no       no
verify                 no         yes    no        yes         no          no       no
export                 yes        yes    no        yes         no          no       no
activate               active     no     active    no          no          no       no
suspend                no         suspended no     no          no          no       no
deactivate             no         deactivated deactivated no   no          no       no
compromise             compromised compromised compromised compromised no     no       no
archive                no         no     no        archived    archived    no       no
restore                no         no     no        no          no          deactivated no
destroy                destroyed  no     no        destroyed   destroyed   destroyed no
"""
STATES = [
    KeyState.PRE_ACTIVE,
    KeyState.ACTIVE,
    KeyState.SUSPENDED,
    KeyState.DEACTIVATED,
    KeyState.COMPROMISED,
    KeyState.ARCHIVED,
    KeyState.DESTROYED,
]
PAIRS = [
    pytest.param(state, Operation(operation), expected, id=f"{state}-{operation}")
    for operation, *columns in (line.split() for line in EXPECTED.strip().splitlines())
    for state, expected in zip(STATES, columns, strict=True)
]
WAY = {
    KeyState.PRE_ACTIVE: [],
    KeyState.ACTIVE: ["activate"],
    KeyState.SUSPENDED: ["activate", "suspend"],
    KeyState.DEACTIVATED: ["activate", "deactivate"],
    KeyState.COMPROMISED: ["activate", "compromise"],
    KeyState.ARCHIVED: ["activate", "deactivate", "archive"],
    KeyState.DESTROYED: ["activate", "deactivate", "destroy"],
}
PURPOSES = {Usage.DERIVE: SECURITY, Usage.SEAL: PROTECTION, Usage.MAC: Purpose.MAC_KEY, Usage.WRAP: PROTECTION}


def keyring_in(state, purpose=SECURITY):
    """With one version, led to that state by its own steps."""
    ring = Keyring()
    ring.add(purpose, bytearray(range(16)), NOW, state=KeyState.PRE_ACTIVE)
    for step in WAY[state]:
        ring.step(purpose, 1, Operation(step), NOW)
    assert ring.entry(purpose, 1).state is state
    return ring


def signing_keyring_in(state):
    entry = Entry(
        Purpose.SIGNING_KEY, 1, frozenset({Usage.SIGN}), ((state, NOW),), "ABCDEF", "ABCDEF01", bytes(64), bytearray(32)
    )
    return Keyring([entry])


def test_the_table_names_every_pair_once():
    assert len(PAIRS) == len(KeyState) * len(Operation)
    assert {(pair.values[0], pair.values[1]) for pair in PAIRS} == {(s, o) for s in KeyState for o in Operation}


@pytest.mark.parametrize(("state", "operation", "expected"), [p for p in PAIRS if p.values[1].usage is not None])
def test_a_state_allows_exactly_these_uses(state, operation, expected):
    purpose = PURPOSES.get(operation.usage, Purpose.SIGNING_KEY)
    ring = signing_keyring_in(state) if operation.usage is Usage.SIGN else keyring_in(state, purpose)
    found = [e.version for e in ring.usable(purpose, operation)]
    assert found == ([1] if expected == "yes" else [])
    if operation.usage is not Usage.SIGN:
        assert [key.version for key in ring.handles(purpose, operation)] == found


@pytest.mark.parametrize(("state", "operation", "expected"), [p for p in PAIRS if p.values[1].usage is None])
def test_a_state_leads_to_exactly_these(state, operation, expected):
    ring = keyring_in(state)
    before = ring.entries
    if expected == "no":
        with pytest.raises(Conflict, match=f"security_key version 1 is {state}: {operation} is not possible"):
            act(ring, operation)
        assert ring.entries == before
        assert [bytes(e.raw) for e in ring.entries] == [bytes(e.raw) for e in before]
    elif operation is Operation.EXPORT:
        act(ring, operation)
    else:
        entry = act(ring, operation)
        assert (entry.state, entry.since) == (expected, LATER)
        assert ring.entries == (entry,)
        assert entry.history[:-1] == before[0].history
        assert entry.raw == (b"" if expected in ("archived", "destroyed") else bytes(range(16)))


def act(ring, operation):
    if operation is Operation.RESTORE:
        return ring.restore(SECURITY, 1, bytearray(range(16)), LATER)
    if operation is Operation.EXPORT:
        return ring.require(ring.entry(SECURITY, 1), operation)
    return ring.step(SECURITY, 1, operation, LATER)


@pytest.mark.parametrize("purpose", [p for p in Purpose if p is not Purpose.SIGNING_KEY])
def test_a_key_does_only_what_its_purpose_is_for(purpose):
    ring = keyring_in(KeyState.ACTIVE, purpose)
    for operation in Operation:
        if operation.usage is not None:
            assert bool(ring.usable(purpose, operation)) == (operation.usage in purpose.usages)


def test_a_version_is_bound_to_the_usages_it_was_made_with():
    ring = Keyring()
    ring.add(PROTECTION, bytearray(16), NOW, usages={Usage.WRAP})
    assert ring.handles(PROTECTION, Operation.SEAL) == []
    assert len(ring.handles(PROTECTION, Operation.WRAP)) == 1
    for wrong in (set(), {Usage.DERIVE}, {Usage.SEAL, Usage.SIGN}):
        with pytest.raises(InputError, match="usages of a protection_key: seal, wrap"):
            ring.add(PROTECTION, bytearray(range(16)), NOW, usages=wrong)
    assert len(ring.entries) == 1


def three_versions():
    ring = Keyring()
    for n in range(3):
        ring.add(SECURITY, bytearray([n] * 16), NOW, state=KeyState.PRE_ACTIVE)
        ring.step(SECURITY, n + 1, Operation.ACTIVATE, NOW)
    return ring


def versions(ring, operation):
    return [key.version for key in ring.handles(SECURITY, operation)]


def test_several_versions_may_be_active_and_the_newest_comes_first():
    ring = three_versions()
    assert versions(ring, Operation.DERIVE) == [3, 2, 1]
    ring.step(SECURITY, 3, Operation.SUSPEND, NOW)  # the way back of a re-keying: the one before makes again
    assert versions(ring, Operation.DERIVE) == [2, 1]
    assert versions(ring, Operation.LOOK_UP) == [3, 2, 1]


def test_minimum_versions_bind_making_and_checking_apart():
    ring = three_versions()
    ring.step(SECURITY, 1, Operation.DEACTIVATE, NOW)
    assert ring.set_minimum(SECURITY, making=3) == Minimum(3, 1)
    assert versions(ring, Operation.DERIVE) == versions(ring, Operation.BACKFILL) == [3]
    assert versions(ring, Operation.LOOK_UP) == [3, 2, 1]
    ring.set_minimum(SECURITY, checking=2)
    assert versions(ring, Operation.LOOK_UP) == [3, 2]
    assert ring.minimum(SECURITY) == Minimum(3, 2)
    assert ring.minimum(PROTECTION) == Minimum(1, 1)


def test_a_minimum_that_leaves_nothing_to_make_with_is_refused():
    ring = three_versions()
    with pytest.raises(Conflict, match="no active security_key has version 4 or later"):
        ring.set_minimum(SECURITY, making=4)
    for wrong in (0, 256):
        with pytest.raises(InputError, match="1 to 255"):
            ring.set_minimum(SECURITY, checking=wrong)
    assert ring.minimum(SECURITY) == Minimum(1, 1)


def test_an_archived_key_takes_back_its_own_bytes_alone():
    ring = keyring_in(KeyState.ARCHIVED)
    with pytest.raises(InputError, match="not the bytes of security_key version 1"):
        ring.restore(SECURITY, 1, bytearray(16), LATER)
    assert ring.entry(SECURITY, 1).raw == b""
    assert ring.restore(SECURITY, 1, bytearray(range(16)), LATER).state is KeyState.DEACTIVATED
    assert versions(ring, Operation.LOOK_UP) == [1]


def test_a_compromised_key_stays_compromised_through_the_archive():
    ring = keyring_in(KeyState.COMPROMISED)
    ring.step(SECURITY, 1, Operation.ARCHIVE, NOW)
    assert ring.restore(SECURITY, 1, bytearray(range(16)), LATER).state is KeyState.COMPROMISED


@pytest.mark.parametrize("state", [KeyState.ARCHIVED, KeyState.DESTROYED])
def test_a_key_whose_bytes_are_gone_is_still_known(state):
    ring = keyring_in(state)
    with pytest.raises(Conflict, match=f"already: version 1, {state}"):
        ring.add(SECURITY, bytearray(range(16)), LATER)


@pytest.mark.parametrize("state", [KeyState.ARCHIVED, KeyState.DESTROYED])
def test_an_entry_made_in_a_state_without_bytes_has_none(state):
    assert new_entry(SECURITY, 1, state, NOW, bytearray(range(16))).raw == b""


def test_what_is_not_there_is_named():
    with pytest.raises(NotFound, match="no security_key version 2"):
        keyring_in(KeyState.ACTIVE).step(SECURITY, 2, Operation.SUSPEND, NOW)


def test_every_deed_is_remembered_for_the_audit_log_and_holds_no_key():
    ring = keyring_in(KeyState.DEACTIVATED)
    ring.set_minimum(SECURITY, checking=1)
    ring.step(SECURITY, 1, Operation.COMPROMISE, NOW, "found on a laptop")
    assert [(deed.operation, deed.detail) for deed in ring.deeds] == [
        ("generate", "pre_active"),
        ("activate", ""),
        ("deactivate", ""),
        ("minimum", "making 1, checking 1"),
        ("compromise", "found on a laptop"),
    ]
    assert bytes(range(16)).hex() not in repr(ring.deeds).lower()
