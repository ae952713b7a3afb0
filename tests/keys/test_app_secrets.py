"""Secrets of apps, sealed under a key of the keyring."""

import pytest

from ehc.errors import KeyUnavailable
from ehc.keys.app_secrets import AppSecrets
from ehc.keys.keyring import Keyring, Purpose

SECRET = "893e64e8499d4ae0b466168ae26f6904"


def keyring_of(*keys: str) -> Keyring:
    keyring = Keyring()
    keyring.add(Purpose.SECURITY_KEY, bytearray(range(16)), 0)
    for key in keys:
        keyring.add(Purpose.PROTECTION_KEY, bytearray.fromhex(key), 0)
    return keyring


ONE, TWO = "11" * 16, "22" * 16


def test_a_sealed_secret_opens_for_its_app_and_no_other() -> None:
    secrets = AppSecrets(keyring_of(ONE))
    sealed = secrets.seal(SECRET, "app", bytes(12))
    assert SECRET.encode() not in sealed
    assert secrets.unseal(sealed, "app") == SECRET
    with pytest.raises(KeyUnavailable):
        secrets.unseal(sealed, "other")


def test_no_changed_byte_opens() -> None:
    secrets = AppSecrets(keyring_of(ONE))
    sealed = secrets.seal(SECRET, "app", bytes(12))
    for i in range(len(sealed)):
        with pytest.raises(KeyUnavailable):
            secrets.unseal(sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :], "app")


def test_what_an_older_version_sealed_opens_and_a_newer_one_seals() -> None:
    old = AppSecrets(keyring_of(ONE)).seal(SECRET, "app", bytes(12))
    both = AppSecrets(keyring_of(ONE, TWO))
    assert both.unseal(old, "app") == SECRET
    new = both.seal(SECRET, "app", bytes(12))
    assert new[0] == 2
    assert new[1:] != old[1:]


def test_without_its_key_it_does_not_open_and_nothing_is_sealed() -> None:
    sealed = AppSecrets(keyring_of(ONE)).seal(SECRET, "app", bytes(12))
    with pytest.raises(KeyUnavailable, match="protection key"):
        AppSecrets(keyring_of()).unseal(sealed, "app")
    with pytest.raises(KeyUnavailable, match="no active"):
        AppSecrets(keyring_of()).seal(SECRET, "app", bytes(12))
