"""SM2 against the standard's published answers, and against the reference where the random number is ours to choose."""

import os
import pickle
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import sm2 as reference
from vectors import load

from ehc.crypto import sm2
from ehc.errors import InputError

VECTORS = load("sm2")
CURVES = {
    name: reference.Curve(
        *(int(given[part], 16) for part in ("p", "a", "b", "x", "y", "n")),
        binary=given["field"] == "binary",
        cofactor=given.get("cofactor", 1),
    )
    for name, given in VECTORS["curve"].items()
}
RECOMMENDED = CURVES["recommended"]


def cases(kind, curve=None):
    chosen = [case for case in VECTORS[kind] if curve in (None, case["curve"])]
    return pytest.mark.parametrize("case", chosen, ids=[case["name"] for case in chosen])


def unhex(case, *names):
    return [bytes.fromhex(case[name]) for name in names]


def number(digits):
    return int(digits, 16)


@cases("sign")
def test_reference_signs_as_published(case):
    curve = CURVES[case["curve"]]
    key = curve.multiply(number(case["d"]), curve.base)
    assert key == (number(case["x"]), number(case["y"]))
    z = reference.z(curve, case["user_id"].encode(), key)
    assert z.hex().upper() == case["z"]
    e = reference.sm3(z + case["message"].encode())
    assert e.hex().upper() == case["e"]
    r, s = reference.sign(curve, number(case["d"]), e, number(case["k"]))
    assert (r, s) == (number(case["r"]), number(case["s"]))
    assert reference.verify(curve, key, e, r, s)
    assert not reference.verify(curve, key, e, r, s ^ 1)


@cases("sign", "recommended")
def test_signature_of_the_standard_is_verified_and_no_other(case):
    key = sm2.PrivateKey(bytes.fromhex(case["d"])).public_key
    message, user_id = case["message"].encode(), case["user_id"].encode()
    signature = bytes.fromhex(case["r"] + case["s"])
    assert bytes(key).hex().upper() == case["x"] + case["y"]
    assert key.z(user_id).hex().upper() == case["z"]
    assert key.digest(message, user_id=user_id).hex().upper() == case["e"]
    assert key.verify(signature, message, user_id=user_id)
    assert key.verify_digest(signature, bytes.fromhex(case["e"]))
    for place in range(64):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not key.verify(changed, message, user_id=user_id)
    assert not key.verify(signature, message + b".", user_id=user_id)
    assert not key.verify(signature, message, user_id=b"another")
    assert not key.verify(signature[:63], message, user_id=user_id)


@cases("encrypt")
def test_reference_encrypts_as_published(case):
    curve = CURVES[case["curve"]]
    key = curve.multiply(number(case["d"]), curve.base)
    found = reference.encrypt(curve, key, case["message"].encode(), number(case["k"]))
    assert found == tuple(unhex(case, "c1", "c3", "c2"))


@cases("encrypt", "recommended")
def test_ciphertext_of_the_standard_is_opened_and_no_other(case):
    key = sm2.PrivateKey(bytes.fromhex(case["d"]))
    ciphertext = b"".join(unhex(case, "c1", "c3", "c2"))
    assert key.decrypt(ciphertext) == case["message"].encode()
    for place in range(len(ciphertext)):
        changed = bytearray(ciphertext)
        changed[place] ^= 1
        with pytest.raises(InputError, match="not made for this key"):
            key.decrypt(changed)
    with pytest.raises(InputError, match="97 bytes"):
        key.decrypt(ciphertext[:96])


@cases("agree")
def test_reference_agrees_as_published(case):
    curve = CURVES[case["curve"]]
    d_a, d_b, r_a, r_b = (number(case[name]) for name in ("d_a", "d_b", "r_a", "r_b"))
    p_a, p_b, once_a, once_b = (curve.multiply(d, curve.base) for d in (d_a, d_b, r_a, r_b))
    za = reference.z(curve, case["id_a"].encode(), p_a)
    zb = reference.z(curve, case["id_b"].encode(), p_b)
    if "z_a" in case:
        printed, zb_printed = unhex(case, "z_a", "z_b")
        assert (za != printed) == case.get("z_a_is_a_misprint", False)
        assert zb == zb_printed
        za = printed
    ours = reference.agree(curve, (d_a, r_a), (p_b, once_b), zs=za + zb, length=16)
    assert ours == reference.agree(curve, (d_b, r_b), (p_a, once_a), zs=za + zb, length=16)
    key, common = ours
    assert key.hex().upper() == case["key"]
    confirmations = [reference.confirm(curve, tag, common, zs=za + zb, once=once_a + once_b) for tag in (2, 3)]
    assert confirmations == unhex(case, "s_b", "s_a")


@cases("agree", "recommended")
def test_both_sides_agree_on_the_key_of_the_standard(case):
    a, b, once_a, once_b = (sm2.PrivateKey(raw) for raw in unhex(case, "d_a", "d_b", "r_a", "r_b"))
    z = a.public_key.z(case["id_a"].encode()), b.public_key.z(case["id_b"].encode())
    first = a.agree(once_a, b.public_key, once_b.public_key, initiator=True, z=z)
    second = b.agree(once_b, a.public_key, once_a.public_key, initiator=False, z=z)
    for agreement in (first, second):
        found = [agreement.key.hex(), agreement.sb.hex(), agreement.sa.hex()]
        assert [text.upper() for text in found] == [case["key"], case["s_b"], case["s_a"]]
    assert a.agree(once_a, b.public_key, once_b.public_key, initiator=True, z=z, length=70).key[:16] == first.key


@settings(max_examples=10)
@given(message=st.binary(min_size=1, max_size=300), user_id=st.binary(max_size=40))
def test_what_one_signs_and_encrypts_the_other_and_the_reference_accept(message, user_id):
    key = sm2.PrivateKey.generate()
    point = int.from_bytes(bytes(key.public_key)[:32]), int.from_bytes(bytes(key.public_key)[32:])
    signature = key.sign(message, user_id=user_id)
    assert key.public_key.verify(signature, message, user_id=user_id)
    e = reference.sm3(reference.z(RECOMMENDED, user_id, point) + message)
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    assert reference.verify(RECOMMENDED, point, e, r, s)
    assert key.decrypt(key.public_key.encrypt(message)) == message
    k = int.from_bytes(reference.sm3(message)) % (RECOMMENDED.n - 1) + 1
    assert key.decrypt(b"".join(reference.encrypt(RECOMMENDED, point, message, k))) == message


def test_der_has_one_encoding_a_signature():
    for signature in (bytes(63) + b"\1", b"\xff" * 64, bytes(31) + b"\x80" + bytes(32), b"\x7f" * 64):
        der = sm2.der_of(signature)
        assert sm2.of_der(der) == signature
        for place in range(len(der)):
            for wrong in (der[:place], der[:place] + b"\0" + der[place:]):
                with pytest.raises(InputError, match="not the DER"):
                    sm2.of_der(wrong)
    for wrong in ("30060201FF020101", "3081060201010201010", "30070202000102 0101", "30800201010201010000"):
        with pytest.raises(InputError, match="not the DER"):
            sm2.of_der(bytes.fromhex(wrong.replace(" ", "").ljust(len(wrong) + len(wrong) % 2, "0")))


@pytest.mark.parametrize("raw", [bytes(32), RECOMMENDED.n.to_bytes(32), (RECOMMENDED.n - 1).to_bytes(32), b"\xff" * 32])
def test_private_key_outside_its_range_is_refused(raw):
    with pytest.raises(InputError, match="1 to n - 2"):
        sm2.PrivateKey(raw)


def test_first_and_last_private_key_work():
    for number in (1, RECOMMENDED.n - 2):
        key = sm2.PrivateKey(number.to_bytes(32))
        point = reference.Curve.multiply(RECOMMENDED, number, RECOMMENDED.base)
        assert bytes(key.public_key) == RECOMMENDED.octets(*point)
        assert key.public_key.verify(key.sign(b"text"), b"text")


@pytest.mark.parametrize("raw", [bytes(64), b"\xff" * 64, bytes(63) + b"\1", b"\4" + bytes(64), b""])
def test_what_is_no_point_is_no_public_key(raw):
    with pytest.raises(InputError, match="public key"):
        sm2.PublicKey(raw)


def test_nothing_shows_a_private_number():
    raw = bytearray(range(1, 33))
    key = sm2.PrivateKey(raw)
    shown = repr(key) + str(key.public_key) + repr(dir(key))
    assert key.public_key.fingerprint in shown
    assert raw.hex().upper() not in shown.upper()
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(key)
    out = bytearray(32)
    key.write_raw(out)
    assert out == raw
    with pytest.raises(ValueError, match="32 bytes"):
        key.write_raw(bytearray(31))


def test_sizes_that_no_answer_has_are_refused():
    key = sm2.PrivateKey.generate()
    for call in (
        lambda: key.sign_digest(bytes(31)),
        lambda: key.public_key.verify_digest(bytes(64), b""),
        lambda: key.public_key.encrypt(b""),
        lambda: key.public_key.encrypt(bytes((1 << 20) + 1)),
        lambda: key.public_key.z(bytes(8192)),
        lambda: sm2.PrivateKey(bytes(64)),
        lambda: sm2.der_of(bytes(63)),
        lambda: sm2.of_der(b""),
    ):
        with pytest.raises(InputError):
            call()


def test_equal_public_keys_are_equal():
    key = sm2.PrivateKey.generate().public_key
    assert key == sm2.PublicKey(bytes(key))
    assert hash(key) == hash(sm2.PublicKey(bytes(key)))
    assert key != sm2.PrivateKey.generate().public_key
    assert key != bytes(key)


@pytest.mark.parametrize("named", ["/nonexistent/libcrypto.so.3", "libm.so.6"])
def test_without_libcrypto_an_error_says_what_to_install_and_the_rest_works(named):
    program = (
        "from ehc.crypto import sm2, sm3\n"
        "from ehc.errors import Unavailable\n"
        "assert sm3(b'abc').hex().startswith('66c7')\n"
        "try: sm2.PrivateKey.generate()\n"
        "except Unavailable as error: print(error)\n"
    )
    environment = {**os.environ, "EHC_LIBCRYPTO": named}
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    assert "libssl3" in done.stdout
    assert "EHC_LIBCRYPTO" in done.stdout
