"""SM4's modes, GCM and CCM, MACs and hashes of libehcsdf.so against OpenSSL and published answers."""

import json
import os
from ctypes import byref, c_uint32, create_string_buffer

import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB as PeerCFB
from cryptography.hazmat.decrepit.ciphers.modes import OFB as PeerOFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sdf_sessions import (
    CBC,
    CCM,
    CFB,
    CTR,
    ECB,
    GCM,
    KEY,
    MAC,
    OFB,
    WYCHEPROOF,
    numbers,
)
from vectors import load

from ehc.crypto import hmac_sm3, sm3
from ehc.machine.gmt0018 import PublicPoint, Signature


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 255, 256, 257, 1000, 4096])
@pytest.mark.parametrize("mode", [ECB, CBC, CFB, OFB, CTR])
def test_modes_are_openssls_whole_and_in_parts(sdf, mode, length):
    if mode in (ECB, CBC):
        length -= length % 16
    kinds = {ECB: None, CBC: modes.CBC, CFB: PeerCFB, OFB: PeerOFB, CTR: modes.CTR}
    data, iv = os.urandom(length), os.urandom(16)
    peer = Cipher(algorithms.SM4(KEY), kinds[mode](iv) if kinds[mode] else modes.ECB()).encryptor()
    expected = peer.update(data) + peer.finalize()
    key = sdf.key()
    sealed, following = sdf.run("Encrypt", key, mode, iv, data)
    assert sealed == expected
    assert sdf.run("Decrypt", key, mode, iv, sealed)[0] == data
    if length and length % 16 == 0 and mode in (CBC, CFB):
        assert following == sealed[-16:]
    for name, given, wanted in (("Encrypt", data, sealed), ("Decrypt", sealed, data)):
        getattr(sdf, f"{name}Init")(key, mode, iv, 16)
        got = b""
        for at in range(0, length, 37):
            part, size = given[at : at + 37], c_uint32()
            out = create_string_buffer(64)
            getattr(sdf, f"{name}Update")(part, len(part), out, byref(size))
            got += out.raw[: size.value]
        getattr(sdf, f"{name}Final")(None, byref(c_uint32()))
        assert got == wanted


def test_the_vector_left_behind_continues_the_message(sdf):
    key, data, iv = sdf.key(), os.urandom(64), os.urandom(16)
    for mode in (CBC, CFB, OFB, CTR):
        whole, _ = sdf.run("Encrypt", key, mode, iv, data)
        first, following = sdf.run("Encrypt", key, mode, iv, data[:32])
        assert first + sdf.run("Encrypt", key, mode, following, data[32:])[0] == whole


def test_mac_is_the_last_block_of_cbc(sdf):
    key, data, iv, out, length = sdf.key(), os.urandom(64), os.urandom(16), create_string_buffer(16), c_uint32()
    sdf.CalculateMAC(key, MAC, create_string_buffer(iv, 16), data, 64, out, byref(length))
    assert out.raw == sdf.run("Encrypt", key, CBC, iv, data)[0][-16:]
    sdf.CalculateMACInit(key, MAC, iv, 16)
    sdf.CalculateMACUpdate(data[:5], 5)
    sdf.CalculateMACUpdate(data[5:], 59)
    again = create_string_buffer(16)
    sdf.CalculateMACFinal(again, byref(length))
    assert (again.raw, length.value) == (out.raw, 16)
    assert sdf.code("CalculateMAC", key, MAC, iv, data, 63, out, byref(length)) == "SDR_INARGERR"


def test_what_is_out_of_step_or_of_another_kind_is_refused(sdf):
    key, out, length = sdf.key(), create_string_buffer(64), c_uint32()
    assert sdf.code("EncryptUpdate", KEY, 16, out, byref(length)) == "SDR_STEPERR"
    assert sdf.code("HashUpdate", KEY, 16) == "SDR_STEPERR"
    assert sdf.code("HMACFinal", out, byref(length)) == "SDR_STEPERR"
    assert sdf.code("Encrypt", key, 0x101, None, KEY, 16, out, byref(length)) == "SDR_ALGNOTSUPPORT"
    assert sdf.code("Encrypt", key, 0x403, None, KEY, 16, out, byref(length)) == "SDR_ALGMODNOTSUPPORT"
    assert sdf.code("Encrypt", key, CBC, None, KEY, 16, out, byref(length)) == "SDR_INARGERR"
    assert sdf.code("Encrypt", key, ECB, None, KEY, 15, out, byref(length)) == "SDR_INARGERR"
    assert sdf.code("HashInit", 2, None, None, 0) == "SDR_ALGNOTSUPPORT"
    sdf.EncryptInit(key, CBC, KEY, 16)
    sdf.EncryptUpdate(KEY, 3, out, byref(length))
    assert length.value == 0
    assert sdf.code("EncryptFinal", out, byref(length)) == "SDR_INARGERR"
    sdf.DestroyKey(key)
    assert sdf.code("DestroyKey", key) == "SDR_KEYNOTEXIST"
    assert sdf.code("Encrypt", key, ECB, None, KEY, 16, out, byref(length)) == "SDR_KEYNOTEXIST"


@pytest.mark.parametrize("name", ["sm4_gcm", "sm4_ccm"])
def test_wycheproofs_aead(sdf, name):
    algorithm = GCM if name == "sm4_gcm" else CCM
    made = opened = 0
    for test in json.loads((WYCHEPROOF / f"{name}.json").read_text())["tests"]:
        key, iv, aad, msg, ct, tag = (bytes.fromhex(test[part]) for part in ("key", "iv", "aad", "msg", "ct", "tag"))
        handle, out, length = sdf.key(key), create_string_buffer(len(ct) + 1), c_uint32()
        code = sdf.code(
            "AuthDec", handle, algorithm, iv, len(iv), aad, len(aad), tag, len(tag), ct, len(ct), out, byref(length)
        )
        if test["result"] == "valid":
            assert (code, out.raw[: length.value]) == (0, msg), test
            opened += 1
        else:
            assert code in ("SDR_MACERR", "SDR_INARGERR"), test
            assert out.raw.strip(b"\0") == b""
        if test["result"] == "valid" and len(tag) == 16:
            mac, mac_length = create_string_buffer(16), c_uint32()
            for size in (len(msg), 7):
                sdf.AuthEncInit(handle, algorithm, iv, len(iv), aad, len(aad), len(msg))
                got = b""
                for at in range(0, len(msg), size or 1):
                    part = msg[at : at + size]
                    sdf.AuthEncUpdate(part, len(part), out, byref(length))
                    got += out.raw[: length.value]
                sdf.AuthEncFinal(None, byref(length), mac, byref(mac_length))
                assert (got, mac.raw) == (ct, tag)
            sdf.AuthEnc(
                handle, algorithm, iv, len(iv), aad, len(aad), msg, len(msg), out, byref(length), mac, byref(mac_length)
            )
            assert (out.raw[: len(ct)], mac.raw) == (ct, tag)
            made += 1
        sdf.DestroyKey(handle)
    assert made > 50
    assert opened > 60


@pytest.mark.parametrize(
    ("algorithm", "tag", "text"),
    [
        (
            GCM,
            "83DE3541E4C2B58177E065A9BF7B62EC",
            "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
            "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D",
        ),
        (
            CCM,
            "16842D4FA186F56AB33256971FA110F4",
            "48AF93501FA62ADBCD414CCE6034D895DDA1BF8F132F042098661572E7483094"
            "FD12E518CE062C98ACEE28D95DF4416BED31A2F04476C18BB40C84A74B97DC5B",
        ),
    ],
    ids=["GCM, A.1", "CCM, A.2"],
)
def test_rfc_8998_appendix_a(sdf, algorithm, tag, text):
    iv, aad = bytes.fromhex("00001234567800000000ABCD"), bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = bytes.fromhex("AA" * 8 + "BB" * 8 + "CC" * 8 + "DD" * 8 + "EE" * 8 + "FF" * 8 + "EE" * 8 + "AA" * 8)
    key, out, mac, length = sdf.key(), create_string_buffer(64), create_string_buffer(16), c_uint32()
    sdf.AuthEnc(key, algorithm, iv, 12, aad, 20, plain, 64, out, byref(length), mac, byref(length))
    assert (out.raw.hex().upper(), mac.raw.hex().upper()) == (text, tag)
    sdf.AuthDecInit(key, algorithm, iv, 12, aad, 20, mac, 16, 64)
    clear = create_string_buffer(64)
    sdf.AuthDecUpdate(out, 64, clear, byref(length))
    sdf.AuthDecFinal(None, byref(length))
    assert clear.raw == plain
    sdf.AuthDecInit(key, algorithm, iv, 12, aad, 20, bytes(16), 16, 64)
    sdf.AuthDecUpdate(out, 64, clear, byref(length))
    assert sdf.code("AuthDecFinal", None, byref(length)) == "SDR_MACERR"


def test_wycheproofs_hmac_sm3(sdf):
    count = 0
    for test in json.loads((WYCHEPROOF / "hmac_sm3.json").read_text())["tests"]:
        key, msg, tag = (bytes.fromhex(test[part]) for part in ("key", "msg", "tag"))
        if len(key) > 64:
            continue  # longer than any key of the machine: tests/crypto/test_sm3_hmac.py has all
        out, length = create_string_buffer(32), c_uint32()
        sdf.ExternalKeyHMACInit(1, key, len(key))
        sdf.HMACUpdate(msg[:5], len(msg[:5]))
        sdf.HMACUpdate(msg[5:], len(msg[5:]))
        sdf.HMACFinal(out, byref(length))
        assert (out.raw[: len(tag)] == tag) == (test["result"] == "valid"), test
        count += 1
    assert count > 150


def test_hmac_under_a_handle(sdf):
    out, length = create_string_buffer(32), c_uint32()
    sdf.HMACInit(sdf.key(), 1)
    sdf.HMACUpdate(b"text", 4)
    sdf.HMACFinal(out, byref(length))
    assert out.raw == hmac_sm3(KEY, b"text")


def test_hash_with_z_is_what_sm2_signs(sdf):
    (case,) = [case for case in load("sm2")["sign"] if case["curve"] == "recommended"]
    point = PublicPoint(256, numbers(bytes.fromhex(case["x"])), numbers(bytes.fromhex(case["y"])))
    out, length = create_string_buffer(32), c_uint32()
    sdf.HashInit(1, byref(point), case["user_id"].encode(), 16)
    sdf.HashUpdate(case["message"].encode(), len(case["message"]))
    sdf.HashFinal(out, byref(length))
    assert out.raw.hex().upper() == case["e"]
    signature = Signature(numbers(bytes.fromhex(case["r"])), numbers(bytes.fromhex(case["s"])))
    sdf.ExternalVerify_ECC(0x00020200, byref(point), out, 32, byref(signature))
    assert sdf.code("ExternalVerify_ECC", 0x00020200, byref(point), bytes(32), 32, byref(signature)) == "SDR_VERIFYERR"
    sdf.HashInit(1, None, None, 0)
    sdf.HashUpdate(b"abc", 3)
    sdf.HashFinal(out, byref(length))
    assert out.raw == sm3(b"abc")
