"""The sealed document: opens with its secret and as it was written, and in no other way."""

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id as Argon2idFunction
from keyrings import VERSION_1, VERSION_1_SECRET

from ehc.crypto import hmac_sm3
from ehc.errors import InputError, KeyringError
from ehc.keys.keyring import Keyring, KeyState, Minimum, Operation, Purpose
from ehc.keys.sealing import (
    Argon2id,
    Header,
    KeyFile,
    read_header,
    seal,
    secret_of_new_passphrase,
    secret_of_passphrase,
    unseal,
)

NOW = 1_767_225_600
SECRET, SALT, NONCE = VERSION_1_SECRET, bytes(range(16)), bytes(range(12))
QUICK = Argon2id(salt=SALT, iterations=1, lanes=1, memory_kib=128)
KEY_FILE = KeyFile(salt=SALT)
ROOT, NEXT, PROTECTION = bytes(range(100, 116)), bytes(range(16)), bytes(range(200, 216))


def keyring():
    ring = Keyring()
    ring.add(Purpose.SECURITY_KEY, bytearray(ROOT), NOW)
    ring.add(Purpose.PROTECTION_KEY, bytearray(PROTECTION), NOW + 1)
    ring.add(Purpose.SECURITY_KEY, bytearray(NEXT), NOW + 2)
    return ring


def sealed_with(plain, secret=SECRET, version=2):
    """A document around any plaintext, made without the module under test."""
    header = msgspec.json.encode(Header(version=version, key=KEY_FILE, nonce=NONCE)) + b"\n"
    key = hmac_sm3(secret, b"ehc keyring v1" + SALT)[:16]
    cipher = Cipher(algorithms.SM4(key), modes.GCM(NONCE)).encryptor()
    cipher.authenticate_additional_data(header)
    return header + cipher.update(plain) + cipher.finalize() + cipher.tag


DOCUMENT = seal(keyring(), SECRET, KEY_FILE, NONCE, 1)


@pytest.mark.parametrize("derivation", [QUICK, KEY_FILE], ids=["passphrase", "key file"])
def test_what_was_sealed_comes_back_whole(derivation):
    ring = keyring()
    back = unseal(seal(ring, SECRET, derivation, NONCE), SECRET)
    assert back.entries == ring.entries
    assert [bytes(e.raw) for e in back.entries] == [ROOT, PROTECTION, NEXT]
    assert [key.version for key in back.handles(Purpose.SECURITY_KEY, Operation.DERIVE)] == [2]


def test_an_empty_and_a_full_keyring_come_back():
    assert unseal(seal(Keyring(), SECRET, KEY_FILE, NONCE), SECRET).entries == ()
    full = Keyring()
    for purpose in (Purpose.SECURITY_KEY, Purpose.PROTECTION_KEY, Purpose.MAC_KEY, Purpose.WRAPPING_KEY):
        for n in range(255):
            full.add(purpose, bytearray([n] * 16), 2**40 + n)
    back = unseal(seal(full, SECRET, KEY_FILE, NONCE), SECRET)
    assert back.entries == full.entries
    assert [e.raw for e in back.entries] == [e.raw for e in full.entries]


def test_a_keyring_comes_back_with_its_states_usages_and_minimums():
    ring = keyring()
    ring.set_minimum(Purpose.SECURITY_KEY, making=2)
    ring.add(Purpose.PROTECTION_KEY, bytearray(16), NOW + 3, state=KeyState.PRE_ACTIVE, usages=["seal"])
    ring.step(Purpose.SECURITY_KEY, 1, Operation.DESTROY, NOW + 4)
    back = unseal(seal(ring, SECRET, KEY_FILE, NONCE, 7), SECRET)
    assert back.entries == ring.entries
    assert back.entry(Purpose.SECURITY_KEY, 1).raw == b""
    assert back.minimum(Purpose.SECURITY_KEY) == Minimum(making=2, checking=1)
    assert read_header(seal(ring, SECRET, KEY_FILE, NONCE, 7)).counter == 7


def test_the_document_of_version_1_stays_readable():
    back = unseal(VERSION_1, SECRET)
    assert [(e.purpose, e.version, e.state, e.created_at) for e in back.entries] == [
        ("security_key", 1, "deactivated", NOW),
        ("protection_key", 1, "active", NOW + 1),
        ("security_key", 2, "active", NOW + 2),
    ]
    assert [bytes(e.raw) for e in back.entries] == [ROOT, PROTECTION, NEXT]
    assert [e.check_value for e in back.entries] == [e.check_value for e in keyring().entries]


def record(*, purpose="security_key", version=1, states=("active",), key=ROOT, usages=("derive",), more=()):
    return [purpose, version, usages, [[state, NOW] for state in states], "000000", "00000000", b"", key, *more]


def test_the_document_is_sm4_gcm_under_the_key_the_readme_describes():
    content = {"entries": [record()], "minimums": {}, "office": {}}
    assert bytes(unseal(sealed_with(msgspec.msgpack.encode(content)), SECRET).entries[0].raw) == ROOT
    old = [["security_key", 1, "active", NOW, ROOT]]
    assert bytes(unseal(sealed_with(msgspec.msgpack.encode(old), version=1), SECRET).entries[0].raw) == ROOT


def test_a_passphrase_goes_through_argon2id_with_the_parameters_of_the_header():
    document = seal(keyring(), SECRET, QUICK, NONCE)
    line, _, sealed = document.partition(b"\n")
    key = Argon2idFunction(salt=SALT, length=16, iterations=1, lanes=1, memory_cost=128).derive(SECRET)
    cipher = Cipher(algorithms.SM4(key), modes.GCM(NONCE, sealed[-16:])).decryptor()
    cipher.authenticate_additional_data(line + b"\n")
    content = msgspec.msgpack.decode(cipher.update(sealed[:-16]) + cipher.finalize())
    assert [record[-1] for record in content["entries"]] == [ROOT, PROTECTION, NEXT]


def test_the_default_parameters_are_those_of_rfc_9106_for_64_mib():
    assert (Argon2id(salt=SALT).iterations, Argon2id(salt=SALT).lanes, Argon2id(salt=SALT).memory_kib) == (3, 4, 65536)


@pytest.mark.parametrize("derivation", [QUICK, KEY_FILE], ids=["passphrase", "key file"])
def test_a_change_of_any_byte_is_noticed(derivation):
    document = seal(keyring(), SECRET, derivation, NONCE)
    for at in range(len(document)):
        for change in (1, 0x80, 0xFF):
            damaged = document[:at] + bytes([document[at] ^ change]) + document[at + 1 :]
            with pytest.raises(KeyringError, match="backup"):
                unseal(damaged, SECRET)


def test_a_document_cut_short_or_lengthened_is_noticed():
    for size in range(len(DOCUMENT)):
        with pytest.raises(KeyringError, match="backup"):
            unseal(DOCUMENT[:size], SECRET)
    with pytest.raises(KeyringError, match="does not open"):
        unseal(DOCUMENT + b"\0", SECRET)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version":2', b'"version":1'),
        (b'"version":2', b'"version":3'),
        (b'"version":2', b'"version":2,"version":2'),
        (b'"counter":1', b'"counter":2'),
        (b'"format":"ehc-keyring",', b""),
        (b'{"format"', b' {"format"'),
        (b'"salt":"AAEC', b'"salt":"AAAA'),
        (b"key_file", b"argon2id"),
    ],
)
def test_another_header_is_refused(old, new):
    assert old in DOCUMENT
    with pytest.raises(KeyringError):
        unseal(DOCUMENT.replace(old, new, 1), SECRET)


@pytest.mark.parametrize("change", ['"memory_kib":1048577', '"memory_kib":127', '"memory_kib":99999999999'])
def test_a_header_cannot_ask_for_any_amount_of_memory(change):
    document = seal(keyring(), SECRET, QUICK, NONCE).replace(b'"memory_kib":128', change.encode())
    with pytest.raises(KeyringError, match="not a sealed keyring"):
        read_header(document)


def test_a_wrong_secret_and_a_changed_document_read_alike():
    texts = set()
    for document, secret in (
        (DOCUMENT, b"\x5b" * 32),
        (DOCUMENT[:-1] + b"\0", SECRET),
        (DOCUMENT[:-20] + DOCUMENT[-16:], SECRET),
    ):
        with pytest.raises(KeyringError) as caught:
            unseal(document, secret)
        assert caught.value.__cause__ is None
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_the_same_keyring_under_another_salt_or_nonce_shares_no_ciphertext():
    bodies = [
        seal(keyring(), SECRET, key, nonce).partition(b"\n")[2]
        for key, nonce in ((KEY_FILE, NONCE), (KeyFile(salt=b"\1" * 16), NONCE), (KEY_FILE, b"\1" * 12))
    ]
    assert len({body[:16] for body in bodies}) == 3


def test_no_key_stands_in_the_document():
    document = seal(keyring(), SECRET, QUICK, NONCE)
    for key in (ROOT, NEXT, PROTECTION, SECRET):
        assert key not in document
        assert key.hex() not in document.decode("latin-1").lower()


@pytest.mark.parametrize(
    "entries",
    [
        [record(version=0)],
        [record(version=256)],
        [record(key=ROOT[:15])],
        [record(key=b"")],
        [record(states=["active", "destroyed"])],
        [record(states=[])],
        [record(states=["asleep"])],
        [record(purpose="another_key")],
        [record(usages=["everything"])],
        [record(more=[0])],
        [record(), record()],
    ],
)
def test_an_authentic_document_with_content_this_version_does_not_know_says_so(entries):
    content = msgspec.msgpack.encode({"entries": entries, "minimums": {}, "office": {}})
    with pytest.raises(KeyringError, match="another version of ehc"):
        unseal(sealed_with(content), SECRET)


@pytest.mark.parametrize("change", [{"version": 256}, {"version": 0}, {"key": ROOT[:15]}, {"state": "compromised"}])
def test_an_authentic_document_of_version_1_holds_what_that_version_held(change):
    fields = {"purpose": "security_key", "version": 1, "state": "active", "created_at": NOW, "key": ROOT} | change
    plain = msgspec.msgpack.encode([list(fields.values())])
    with pytest.raises(KeyringError, match="another version of ehc"):
        unseal(sealed_with(plain, version=1), SECRET)


def test_one_passphrase_composed_in_two_ways_is_one_secret():
    assert secret_of_passphrase("Cafe\u0301 im Spital 7") == secret_of_passphrase("Caf\u00e9 im Spital 7")


def test_an_empty_passphrase_opens_nothing_and_a_short_one_seals_nothing():
    with pytest.raises(KeyringError, match="empty"):
        secret_of_passphrase("")
    with pytest.raises(InputError, match="11 characters: take at least 12"):
        secret_of_new_passphrase("elevenchars")
    assert secret_of_new_passphrase("twelve chars") == b"twelve chars"
