"""A backup opens with enough of its shares, and with nothing else."""

import itertools
import os

import msgspec
import pytest

from ehc.crypto.sm2 import PrivateKey
from ehc.errors import InputError, KeyringError
from ehc.keys.backup import back_up, open_backup, read_manifest, read_share, write_share
from ehc.keys.keyring import Keyring, Purpose
from ehc.keys.shares import Share

NOW = 1_767_225_600
KEY = bytes(range(100, 116))
SIGNER = PrivateKey.generate()


def made(needed=3, count=5):
    ring = Keyring()
    ring.add(Purpose.SECURITY_KEY, bytearray(KEY), NOW)
    signer = (bytes(SIGNER.public_key), SIGNER.sign)
    return back_up(ring, needed, count, now=NOW, random=os.urandom, signer=signer)


def test_every_subset_of_enough_shares_opens_it():
    backup, shares = made()
    for some in itertools.combinations(shares, 3):
        with open_backup(backup, some) as ring:
            assert [bytes(e.raw) for e in ring.entries] == [KEY]
    with open_backup(backup, shares) as ring:
        assert len(ring.entries) == 1


def test_too_few_shares_say_how_many_are_missing():
    backup, shares = made()
    with pytest.raises(InputError, match="2 shares of 3 that are needed"):
        open_backup(backup, [*shares[:2], shares[1]])


def test_a_forged_share_is_named_and_so_is_one_of_another_backup():
    backup, shares = made()
    shares[2].value[0] ^= 0x10
    with pytest.raises(InputError, match=r"forged: share 3$"):
        open_backup(backup, shares)
    with pytest.raises(InputError, match=r"share 1, 2, 3$"):
        open_backup(backup, made()[1][:3])


def test_every_changed_byte_of_a_backup_is_noticed():
    backup, shares = made(2, 2)
    for at in range(len(backup)):
        damaged = backup[:at] + bytes([backup[at] ^ 1]) + backup[at + 1 :]
        with pytest.raises((InputError, KeyringError)):
            open_backup(damaged, shares)


def test_the_manifest_is_signed_and_nothing_of_the_key_stands_in_it():
    backup, shares = made()
    manifest = read_manifest(backup)
    assert SIGNER.public_key.verify(manifest.signature, manifest.text())
    other = msgspec.structs.replace(manifest, needed=2)
    assert not SIGNER.public_key.verify(manifest.signature, other.text())
    for secret in (KEY, *(bytes(share.value) for share in shares)):
        assert secret not in backup
        assert secret.hex().encode() not in backup


def test_a_share_file_goes_there_and_back_and_a_slip_is_seen():
    backup, shares = made()
    text = write_share(shares[1], read_manifest(backup))
    assert read_share(text) == Share(2, shares[1].value)
    digit = text.index(b'"value"') + 12
    slip = text[:digit] + (b"1" if text[digit : digit + 1] != b"1" else b"2") + text[digit + 1 :]
    with pytest.raises(InputError, match="a slip in copying"):
        read_share(slip)
    for wrong in (b"", b"{}", text.replace(b"ehc-share", b"ehc-shard")):
        with pytest.raises(InputError, match="no share"):
            read_share(wrong)
