"""SM4-ECB through ehc.crypto, against the standard, the reference, OpenSSL and gmssl."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from gmssl.sm4 import SM4_ENCRYPT, CryptSM4
from reference import sm4 as reference
from vectors import load

from ehc.crypto import KeyHandle, sm4_ecb_decrypt, sm4_ecb_encrypt

hexed = bytes.fromhex
BLOCKS = sorted({0, 1, *(n + d for n in (4, 8, 16, 32, 64, 128) for d in (-1, 0, 1)), 200})


def openssl(key, data):
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    return encryptor.update(data) + encryptor.finalize()


@pytest.mark.parametrize("case", load("sm4")["case"], ids=lambda c: c["name"])
def test_the_standards_answers_come_out(case):
    key, block = KeyHandle(hexed(case["key"])), hexed(case["plain"])
    for _ in range(case["times"]):
        block = sm4_ecb_encrypt(key, block)
    assert block == hexed(case["cipher"])


@pytest.mark.parametrize("blocks", BLOCKS)
def test_peers_agree_on_every_number_of_blocks_around_a_group(blocks):
    draw = random.Random(blocks)
    key, data = draw.randbytes(16), draw.randbytes(16 * blocks)
    cipher = sm4_ecb_encrypt(key, data)
    assert cipher == openssl(key, data)
    assert sm4_ecb_decrypt(key, cipher) == data
    assert sm4_ecb_encrypt(KeyHandle(key), data) == cipher


def test_gmssl_and_the_reference_agree():
    draw = random.Random(9)
    key, data = draw.randbytes(16), draw.randbytes(16 * 9)
    peer = CryptSM4()
    peer.set_key(key, SM4_ENCRYPT)
    peer.padding_mode = None
    assert sm4_ecb_encrypt(key, data) == reference.ecb_encrypt(key, data)
    assert b"".join(bytes(peer.one_round(peer.sk, list(data[i : i + 16]))) for i in range(0, 144, 16)) == (
        sm4_ecb_encrypt(key, data)
    )


def test_every_input_of_the_sbox_in_every_byte_of_the_word(monkeypatch):
    """Goes on until the reference has put each of the 256 inputs through each of the four places of the cipher's and of
    the key schedule's T; so one wrong entry anywhere would show."""
    seen = {"cipher": set(), "schedule": set()}

    def counting(kind, function):
        def count(x):
            seen[kind].update(enumerate(x.to_bytes(4, "big")))
            return function(x)

        return count

    monkeypatch.setattr(reference, "t", counting("cipher", reference.t))
    monkeypatch.setattr(reference, "t_key", counting("schedule", reference.t_key))
    draw = random.Random(4)
    while len(seen["cipher"]) < 1024 or len(seen["schedule"]) < 1024:
        key, block = draw.randbytes(16), draw.randbytes(16)
        assert sm4_ecb_encrypt(key, block) == reference.ecb_encrypt(key, block)


@pytest.mark.parametrize("offset", [1, 5, 15])
def test_unaligned_data_and_keys_serve(offset):
    draw = random.Random(offset)
    key, data = memoryview(draw.randbytes(40))[offset : offset + 16], memoryview(draw.randbytes(700))[offset:][:656]
    assert sm4_ecb_encrypt(bytes(key), data) == openssl(bytes(key), bytes(data))
    assert KeyHandle(key).check_value == openssl(bytes(key), bytes(16)).hex().upper()[:6]


@pytest.mark.parametrize("length", [1, 15, 17, 31])
def test_parts_of_a_block_are_refused(length):
    for call in (sm4_ecb_encrypt, sm4_ecb_decrypt):
        with pytest.raises(ValueError, match="whole 16-byte blocks"):
            call(bytes(16), bytes(length))


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(17), bytes(32)])
def test_a_key_of_another_length_is_refused_without_being_shown(key):
    for call in (sm4_ecb_encrypt, sm4_ecb_decrypt):
        with pytest.raises(ValueError, match=f"a key has 16 bytes, not {len(key)}"):
            call(key, bytes(16))


def test_a_key_of_another_type_is_refused():
    for key in ("0" * 16, None, 5):
        with pytest.raises(TypeError):
            sm4_ecb_encrypt(key, bytes(16))


def test_the_encrypted_field_of_the_field_comes_out():
    field = load("signing")["field"]
    plain = field["text"].encode()
    padded = plain + bytes(-len(plain) % 16)
    assert sm4_ecb_encrypt(hexed(field["key"]), padded).hex().upper() == field["cipher"]
    assert sm4_ecb_decrypt(hexed(field["key"]), hexed(field["cipher"])).rstrip(b"\0") == plain
