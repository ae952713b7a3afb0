"""The keyring model: versions, states, and key bytes that stay out of sight."""

import pytest

from ehc.errors import Conflict, InputError
from ehc.keys.keyring import Keyring, KeyState, Operation, Purpose, key_of_hex, new_entry, published_sample

NOW = 1_767_225_600
ROOT = bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210")
OTHER = bytearray(range(16))
SECURITY, PROTECTION = Purpose.SECURITY_KEY, Purpose.PROTECTION_KEY


def states(keyring, purpose):
    return [(e.version, e.state) for e in keyring.entries if e.purpose is purpose]


def test_the_first_key_of_a_purpose_is_version_1_and_active():
    keyring = Keyring()
    entry = keyring.add(SECURITY, ROOT, NOW)
    assert (entry.version, entry.state, entry.created_at, entry.check_value) == (1, KeyState.ACTIVE, NOW, "2677F4")
    assert [key.check_value for key in keyring.handles(SECURITY, Operation.DERIVE)] == ["2677F4"]
    assert keyring.handles(PROTECTION, Operation.SEAL) == []


def test_a_new_version_deactivates_the_one_before_and_leaves_the_other_purpose_alone():
    keyring = Keyring()
    keyring.add(PROTECTION, ROOT, NOW)
    for n in range(3):
        keyring.add(SECURITY, bytearray([n] * 16), NOW + n)
    assert states(keyring, SECURITY) == [(1, "deactivated"), (2, "deactivated"), (3, "active")]
    assert states(keyring, PROTECTION) == [(1, "active")]
    assert [key.version for key in keyring.handles(SECURITY, Operation.DERIVE)] == [3]
    assert [key.version for key in keyring.handles(SECURITY, Operation.LOOK_UP)] == [3, 2, 1]
    assert [key.version for key in keyring.handles(PROTECTION, Operation.OPEN)] == [1]


def test_the_same_key_is_refused_for_its_purpose_and_welcome_for_the_other():
    keyring = Keyring()
    keyring.add(SECURITY, ROOT, NOW)
    keyring.add(SECURITY, OTHER, NOW)
    with pytest.raises(Conflict, match=r"version 1, deactivated$"):
        keyring.add(SECURITY, ROOT, NOW)
    assert keyring.add(PROTECTION, ROOT, NOW).version == 1
    assert len(keyring.entries) == 3


def test_255_versions_and_no_more():
    keyring = Keyring()
    for n in range(255):
        keyring.add(SECURITY, bytearray([n] * 16), NOW)
    with pytest.raises(Conflict, match="255 versions"):
        keyring.add(SECURITY, ROOT, NOW)
    assert keyring.handles(SECURITY, Operation.DERIVE)[0].version == 255


@pytest.mark.parametrize("version", [0, 256, -1])
def test_a_version_is_1_to_255(version):
    with pytest.raises(ValueError, match="1 to 255"):
        new_entry(SECURITY, version, KeyState.ACTIVE, NOW, ROOT)


def test_two_equal_versions_are_no_keyring():
    first = new_entry(SECURITY, 1, KeyState.ACTIVE, NOW, ROOT)
    with pytest.raises(ValueError, match="once"):
        Keyring([first, new_entry(SECURITY, 1, KeyState.DEACTIVATED, NOW, OTHER)])


def test_leaving_the_keyring_forgets_every_key_and_its_handles_keep_working():
    with Keyring() as keyring:
        keyring.add(SECURITY, ROOT, NOW)
        keyring.add(SECURITY, OTHER, NOW)
        raws = [e.raw for e in keyring.entries]
        assert raws == [ROOT, OTHER]
        (handle,) = keyring.handles(SECURITY, Operation.DERIVE)
    assert raws == [b"", b""]
    assert handle.check_value == new_entry(SECURITY, 1, KeyState.ACTIVE, NOW, OTHER).check_value
    assert keyring.entries[0].check_value == "2677F4"
    with pytest.raises(ValueError, match="16 bytes"):
        keyring.handles(SECURITY, Operation.DERIVE)


def test_a_key_is_overwritten_before_its_memory_is_given_back():
    keyring = Keyring()
    view = memoryview(keyring.add(SECURITY, ROOT, NOW).raw)
    assert bytes(view) == ROOT
    with pytest.raises(BufferError):  # the view keeps the memory, so that it can be looked at
        keyring.wipe()
    assert bytes(view) == bytes(16)


def test_an_error_inside_wipes_too():
    keyring = Keyring()
    keyring.add(SECURITY, ROOT, NOW)
    with pytest.raises(RuntimeError), keyring:
        raise RuntimeError
    assert keyring.entries[0].raw == b""


def test_the_caller_keeps_its_own_copy():
    raw = bytearray(ROOT)
    with Keyring() as keyring:
        keyring.add(SECURITY, raw, NOW)
    assert raw == ROOT


def test_repr_shows_the_check_value_and_no_key():
    keyring = Keyring()
    entry = keyring.add(SECURITY, ROOT, NOW)
    for text in (
        repr(entry),
        str(entry),
        repr(keyring),
        f"{keyring}",
        repr(keyring.handles(SECURITY, Operation.DERIVE)),
    ):
        assert "2677F4" in text
        assert "0123456789abcdef" not in text.lower()
        assert repr(bytes(ROOT))[2:-1] not in text


def test_key_hex_is_read_in_either_case_with_white_space():
    assert key_of_hex(bytearray(b" 01234567 89abcdef\tFEDCBA98\r\n76543210\n")) == ROOT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "0 hex digits"),
        (b"0123456789ABCDEFFEDCBA987654321", "31 hex digits"),
        (b"0123456789ABCDEFFEDCBA98765432100", "33 hex digits"),
        (b"0123456789ABCDEFFEDCBA987654321G", "character 32 "),
        (b"0x0123456789ABCDEFFEDCBA98765432", "character 2 "),
        (b"\xef\xbb\xbf0123456789ABCDEFFEDCBA9876543210", "character 1 "),
        ("０".encode() * 32, "character 1 "),
    ],
)
def test_other_key_text_is_refused_and_not_repeated(text, message):
    with pytest.raises(InputError, match=message) as caught:
        key_of_hex(bytearray(text))
    assert "0123456789" not in str(caught.value)


def test_the_published_sample_keys_are_known():
    assert published_sample(ROOT)
    assert published_sample(bytearray.fromhex("11223344556677888877665544332211"))
    assert not published_sample(OTHER)
