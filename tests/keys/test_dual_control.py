"""What takes two custodians: destruction with its delay, late enrolment; and keys from their components."""

import os

import pytest

from ehc.crypto import KeyHandle
from ehc.errors import Conflict, Forbidden, InputError, KeyringError, NotFound
from ehc.keys.audit import Role
from ehc.keys.composing import add_component, check_values
from ehc.keys.credential import Credential, open_credential
from ehc.keys.destruction import MIN_DELAY, approve, cancel, destroy, request
from ehc.keys.identity import Identity, read_identity
from ehc.keys.keyring import Entry, Keyring, KeyState, Operation, Purpose
from ehc.keys.office import Approval
from ehc.keys.sealing import KeyFile, seal, unseal

NOW = 1_767_225_600
DAY = 24 * 3600
SECURITY = Purpose.SECURITY_KEY
WANG, LI, ZHAO, STRANGER = (Credential.generate(name, Role.USER) for name in ("wang", "li", "zhao", "stranger"))


@pytest.fixture
def ring():
    made = Keyring()
    made.add(SECURITY, bytearray(range(16)), NOW)
    made.add(SECURITY, bytearray(range(1, 17)), NOW)  # version 1 is deactivated
    made.office.enrol(WANG.identity, [], NOW)
    made.office.enrol(LI.identity, [], NOW)
    return made


def test_two_custodians_and_the_delay_destroy_a_key(ring):
    assert request(ring, SECURITY, 1, WANG, NOW, delay=DAY).due is None
    with pytest.raises(Forbidden, match="takes two custodians: 1 approved"):
        destroy(ring, SECURITY, 1, NOW + 30 * DAY)
    assert approve(ring, SECURITY, 1, LI, NOW + DAY).due == NOW + 2 * DAY
    with pytest.raises(Conflict, match=r"not destroyed before 2026-01-03 08:00:00 \(CST\)"):
        destroy(ring, SECURITY, 1, NOW + 2 * DAY - 1)
    assert bytes(ring.entry(SECURITY, 1).raw) == bytes(range(16))
    gone = destroy(ring, SECURITY, 1, NOW + 2 * DAY)
    assert (gone.state, gone.raw) == (KeyState.DESTROYED, b"")
    assert ring.deeds[-1].detail == "by wang and li"
    assert ring.office.destructions == []
    with pytest.raises(NotFound, match="not requested"):
        destroy(ring, SECURITY, 1, NOW + 3 * DAY)


def test_one_custodian_is_not_two(ring):
    request(ring, SECURITY, 1, WANG, NOW)
    with pytest.raises(Conflict, match="wang has approved this already: it takes another"):
        approve(ring, SECURITY, 1, WANG, NOW)
    with pytest.raises(Forbidden, match="stranger is no custodian"):
        approve(ring, SECURITY, 1, STRANGER, NOW)
    other_wang = Credential.generate("wang", Role.USER)
    with pytest.raises(Forbidden, match="or has other keys than enrolled"):
        cancel(ring, SECURITY, 1, other_wang, NOW)


def test_anyone_of_them_cancels(ring):
    request(ring, SECURITY, 1, WANG, NOW)
    approve(ring, SECURITY, 1, LI, NOW)
    with pytest.raises(Forbidden):
        cancel(ring, SECURITY, 1, STRANGER, NOW)
    cancel(ring, SECURITY, 1, LI, NOW)
    with pytest.raises(NotFound):
        destroy(ring, SECURITY, 1, NOW + 30 * DAY)
    assert ring.entry(SECURITY, 1).state is KeyState.DEACTIVATED


def test_an_approval_of_something_else_or_made_up_does_not_count(ring):
    pending = request(ring, SECURITY, 1, WANG, NOW)
    for signature in (b"", bytes(64), LI.sign(b"something else")):
        with pytest.raises(Forbidden, match="1 approved"):
            ring.office.require_two([*pending.approvals, Approval("li", NOW, signature)], pending.text())


def test_what_may_not_be_destroyed_is_not_requested(ring):
    with pytest.raises(Conflict, match="is active: destroy is not possible"):
        request(ring, SECURITY, 2, WANG, NOW)
    with pytest.raises(InputError, match="the delay"):
        request(ring, SECURITY, 1, WANG, NOW, delay=MIN_DELAY - 1)
    request(ring, SECURITY, 1, WANG, NOW)
    with pytest.raises(Conflict, match="requested already"):
        request(ring, SECURITY, 1, LI, NOW)


def test_a_state_that_changed_meanwhile_stops_it(ring):
    made = Keyring()
    made.add(SECURITY, bytearray(range(16)), NOW, state=KeyState.PRE_ACTIVE)
    made.office.custodians = ring.office.custodians
    request(made, SECURITY, 1, WANG, NOW)
    approve(made, SECURITY, 1, LI, NOW)
    made.step(SECURITY, 1, Operation.ACTIVATE, NOW)
    with pytest.raises(Conflict, match="is active: destroy is not possible"):
        destroy(made, SECURITY, 1, NOW + 30 * DAY)


def test_a_third_custodian_needs_two_who_are_there(ring):
    for witnesses in ([], [WANG], [WANG, WANG]):
        with pytest.raises(Forbidden, match="takes two custodians"):
            ring.office.enrol(ZHAO.identity, witnesses, NOW)
    with pytest.raises(Conflict, match="wang is enrolled already"):
        ring.office.enrol(WANG.identity, [WANG, LI], NOW)
    ring.office.enrol(ZHAO.identity, [WANG, LI], NOW)
    assert [one.name for one in ring.office.custodians] == ["wang", "li", "zhao"]


def test_what_is_under_way_is_sealed_with_the_keys(ring):
    request(ring, SECURITY, 1, WANG, NOW)
    add_component(ring, SECURITY, 3, name="wang", component=bytearray(range(50, 66)), now=NOW)
    back = unseal(seal(ring, bytes(32), KeyFile(salt=bytes(16)), bytes(12)), bytes(32))
    assert back.office == ring.office
    approve(back, SECURITY, 1, LI, NOW)
    assert back.office.compositions[0].value == bytes(range(50, 66))
    back.wipe()
    assert back.office.compositions[0].value == bytes(16)


def test_the_key_of_components_is_their_xor_and_nobody_saw_it():
    ring, parts = Keyring(), [bytearray(os.urandom(16)) for _ in range(3)]
    for name, part in zip(("wang", "li"), parts, strict=False):
        add_component(ring, SECURITY, 3, name=name, component=part, now=NOW)
    assert ring.entries == ()
    entry = add_component(ring, SECURITY, 3, name="zhao", component=parts[2], now=NOW)
    assert isinstance(entry, Entry)
    assert bytes(entry.raw) == bytes(a ^ b ^ c for a, b, c in zip(*parts, strict=True))
    assert entry.state is KeyState.PRE_ACTIVE
    assert ring.office.compositions == []
    assert [(deed.operation, deed.detail) for deed in ring.deeds] == [
        ("component", "1 of 3 by wang"),
        ("component", "2 of 3 by li"),
        ("component", "3 of 3 by zhao"),
        ("generate", "pre_active"),
        ("compose", "of wang, li, zhao"),
    ]


def test_the_two_check_values_of_a_component_are_those_of_any_other_machine():
    key = bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210")
    # SM3 of it: openssl dgst -sm3 begins with 13bcec3a
    assert check_values(key) == ("2677F4", "13BCEC3A")
    assert KeyHandle(key).check_value == "2677F4"


def test_components_that_make_no_sense_are_refused():
    ring = Keyring()
    for purpose, count, part in ((Purpose.SIGNING_KEY, 2, b"x"), (SECURITY, 1, b"x"), (SECURITY, 2, b"\0")):
        with pytest.raises(InputError):
            add_component(ring, purpose, count, name="wang", component=bytearray(part * 16), now=NOW)
    add_component(ring, SECURITY, 2, name="wang", component=bytearray(b"x" * 16), now=NOW)
    with pytest.raises(Conflict, match="wang has entered a component"):
        add_component(ring, SECURITY, 2, name="wang", component=bytearray(b"y" * 16), now=NOW)
    with pytest.raises(Conflict, match="of 2 components is begun"):
        add_component(ring, SECURITY, 3, name="li", component=bytearray(b"y" * 16), now=NOW)
    with pytest.raises(InputError, match="two are the same"):
        add_component(ring, SECURITY, 2, name="li", component=bytearray(b"x" * 16), now=NOW)


def test_a_credential_opens_with_its_passphrase_alone():
    text = WANG.sealed(b"a long passphrase", os.urandom)
    again = open_credential(text, b"a long passphrase")
    assert again.identity == WANG.identity
    assert WANG.identity.signed(again.sign(b"text"), b"text")
    for wrong, secret in ((text, b"another"), (text[:-1] + b"\0", b"a long passphrase"), (b"{}\n", b""), (b"", b"")):
        with pytest.raises(KeyringError, match="does not open"):
            open_credential(wrong, secret)
    other = text.replace(WANG.identity.name.encode(), b"WANG", 1)
    with pytest.raises(KeyringError):
        open_credential(other, b"a long passphrase")


def test_an_identity_file_says_who_and_is_checked():
    import msgspec

    text = msgspec.json.encode(LI.identity)
    assert read_identity(text) == LI.identity
    for wrong in (b"", b"{}", text.replace(b"USER", b"KING")):
        with pytest.raises(InputError, match="no identity"):
            read_identity(wrong)
    off = Identity(name="x", verifies=bytes(64), seals=bytes(64))
    with pytest.raises(InputError):
        read_identity(msgspec.json.encode(off))
    for name in ("", "a b", "a/b", "x" * 41):
        with pytest.raises(InputError, match="a name has"):
            Credential.generate(name, Role.USER)
