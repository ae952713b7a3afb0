"""A key handle can be used and not read."""

import contextlib
import copy
import gc
import json
import pickle

import pytest

from ehc.crypto import KeyHandle, sm4_ecb_encrypt

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def spellings(key):
    words = [key[i : i + 4] for i in range(0, 16, 4)]
    return [key.hex(), key.hex().upper(), repr(key)[2:-1], *(str(int.from_bytes(w, "big")) for w in words)]


def test_repr_shows_purpose_version_and_check_value_only():
    handle = KeyHandle(KEY, "protection_key", 3)
    check = sm4_ecb_encrypt(KEY, bytes(16)).hex().upper()[:6]
    assert handle.check_value == check
    assert repr(handle) == str(handle) == f"<KeyHandle protection_key v3 check value {check}>"


def test_no_attribute_gives_the_key():
    handle = KeyHandle(KEY)
    for name in dir(handle):
        value = getattr(handle, name)
        assert not isinstance(value, bytes | bytearray | memoryview | list), name
        assert not any(spelling in str(value) for spelling in spellings(KEY)), name


def test_it_has_no_dict_no_buffer_and_no_bytes():
    handle = KeyHandle(KEY)
    assert not hasattr(handle, "__dict__")
    for read in (bytes, memoryview, json.dumps, vars, iter, len, int):
        with pytest.raises(TypeError):
            read(handle)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(protocol):
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        pickle.dumps(KeyHandle(KEY), protocol)


def test_it_cannot_be_copied():
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            duplicate(KeyHandle(KEY))


def test_purpose_and_version_cannot_be_changed():
    handle = KeyHandle(KEY)
    for name, value in (("purpose", "protection_key"), ("version", 2), ("check_value", "000000"), ("raw", KEY)):
        with pytest.raises(AttributeError):
            setattr(handle, name, value)


def test_there_is_no_handle_without_a_key():
    for make in (lambda: KeyHandle.__new__(KeyHandle), KeyHandle, lambda: KeyHandle(None)):
        with pytest.raises(TypeError):
            make()


def test_the_key_of_a_handle_cannot_be_replaced():
    handle = KeyHandle(KEY)
    before = sm4_ecb_encrypt(handle, bytes(16))
    with contextlib.suppress(TypeError):
        handle.__init__(bytes(16))
    assert sm4_ecb_encrypt(handle, bytes(16)) == before


@pytest.mark.parametrize("version", [0, -1, 256, 2**31, 2**80])
def test_a_version_outside_1_to_255_is_refused(version):
    with pytest.raises((ValueError, OverflowError)):
        KeyHandle(KEY, "security_key", version)


@pytest.mark.parametrize("raw", [b"", KEY[:15], KEY + b"\0"])
def test_a_key_of_another_length_is_refused(raw):
    with pytest.raises(ValueError, match=f"a key has 16 bytes, not {len(raw)}"):
        KeyHandle(raw)


def test_the_handle_keeps_its_own_copy_so_that_the_callers_can_be_wiped():
    raw = bytearray(KEY)
    handle = KeyHandle(raw)
    raw[:] = bytes(16)
    assert sm4_ecb_encrypt(handle, bytes(16)) == sm4_ecb_encrypt(KEY, bytes(16))


def test_handles_come_and_go():
    expected = sm4_ecb_encrypt(KEY, bytes(16))
    for _ in range(1000):
        assert sm4_ecb_encrypt(KeyHandle(KEY), bytes(16)) == expected
    gc.collect()
