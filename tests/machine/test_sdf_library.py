"""libehcsdf.so through its C interface, as any program sees it: every function, right and wrong."""

import ctypes
import json
import os
import re
import subprocess
import sys
from ctypes import byref, c_uint32, c_void_p, create_string_buffer
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB as PeerCFB
from cryptography.hazmat.decrepit.ciphers.modes import OFB as PeerOFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from vectors import load

from ehc.crypto import hmac_sm3, sdf_device, sm2, sm3
from ehc.errors import ConfigError, Conflict, InputError
from ehc.machine.gmt0018 import DeviceInfo, PublicPoint, Signature

ROOT = Path(__file__).parents[2]
HEADER = (ROOT / "native/include/sdf.h").read_text("utf-8")
FUNCTIONS = {
    name: [argument.strip() for argument in " ".join(arguments.split()).split(",")]
    for name, arguments in re.findall(r"^int (SDF_\w+)\((.*?)\);", HEADER, re.MULTILINE | re.DOTALL)
}
CODES = {
    f"SDR_{name}": 0x01000000 + int(code, 16) for name, code in re.findall(r"SDR_(\w+) = SDR_BASE \+ 0x(\w\w)", HEADER)
}
PASSWORD = b"P@ssw0rd-1"
KEK = bytes(range(16))
KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
ECB, CBC, CFB, OFB, MAC, CTR, GCM, CCM = 0x401, 0x402, 0x404, 0x408, 0x410, 0x420, 0x02000400, 0x04000400
LIBRARY = os.environ.get(
    "EHC_SDF_UNDER_TEST", str(sdf_device.LIBRARY)
)  # tests/native/test_sdf_sanitized.py has its own
WYCHEPROOF = Path(__file__).parents[1] / "vectors/wycheproof"


class Envelope(ctypes.Structure):
    _pack_ = 1
    _fields_ = (
        ("x", ctypes.c_uint8 * 64),
        ("y", ctypes.c_uint8 * 64),
        ("m", ctypes.c_uint8 * 32),
        ("length", c_uint32),
        ("c", ctypes.c_uint8 * 256),
    )


class PrivateNumber(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("bits", c_uint32), ("k", ctypes.c_uint8 * 64))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdf") / "home"
    sdf_device.create(folder, datetime(2026, 11, 29, tzinfo=UTC), serial=42)
    sdf_device.add_pair(folder, 1, PASSWORD)
    sdf_device.add_pair(folder, 2, b"another password")
    sdf_device.add_kek(folder, 1, KEK)
    return folder


@pytest.fixture(scope="module")
def library(home):
    os.environ["EHC_SDF_HOME"] = str(home)
    yield ctypes.CDLL(str(LIBRARY))
    del os.environ["EHC_SDF_HOME"]


@pytest.fixture
def device(library):
    handle = c_void_p()
    assert library.SDF_OpenDevice(byref(handle)) == 0
    yield handle
    library.SDF_CloseDevice(handle)


class Session:
    """sdf.Encrypt(...) calls SDF_Encrypt with the session; it must succeed. sdf.code(name, ...) gives the code."""

    def __init__(self, library, device):
        self.library, self.handle = library, c_void_p()
        assert library.SDF_OpenSession(device, byref(self.handle)) == 0

    def code(self, name, *arguments):
        status = getattr(self.library, f"SDF_{name}")(self.handle, *arguments)
        return next((known for known, code in CODES.items() if code == status), status)

    def __getattr__(self, name):
        def call(*arguments):
            assert self.code(name, *arguments) == 0

        return call

    def key(self, raw=KEY):
        """A handle of these 16 bytes, brought in under the KEK."""
        handle = c_void_p()
        wrapped = Cipher(algorithms.SM4(KEK), modes.ECB()).encryptor().update(raw)
        self.ImportKeyWithKEK(ECB, 1, wrapped, len(wrapped), byref(handle))
        return handle

    def run(self, name, key, algorithm, iv, data):
        out, length = create_string_buffer(len(data) + 16), c_uint32(0xDEAD)
        vector = create_string_buffer(iv, 16) if iv else None
        getattr(self, name)(key, algorithm, vector, data, len(data), out, byref(length))
        return out.raw[: length.value], vector.raw if vector else b""


@pytest.fixture
def sdf(library, device):
    return Session(library, device)


def numbers(raw):
    return (ctypes.c_uint8 * 64)(*bytes(32), *raw)


def test_exports_are_the_functions_of_the_header_and_nothing_else():
    shown = subprocess.check_output(["nm", "-D", "--defined-only", LIBRARY], text=True)
    assert sorted(line.split()[-1] for line in shown.splitlines()) == sorted(FUNCTIONS)
    assert len(FUNCTIONS) == 75  # 73 of 2023 and the two exchanges of envelopes, of which 47 are those of 2012


def test_device_says_what_it_is(sdf):
    info = DeviceInfo()
    assert ctypes.sizeof(info) == 100
    sdf.GetDeviceInfo(byref(info))
    assert (info.name, info.serial, info.buffer) == (b"libehcsdf", b"2026112900100042", 1 << 20)
    assert (info.asymmetric[0], info.hash) == (0x00020E00, 1)


def test_every_function_answers_wrong_arguments_with_a_code(library, device):
    """No session, an invented one, a closed one, and a good one with nothing else: a code each time, never a crash."""
    session, closed = Session(library, device), Session(library, device)
    closed.CloseSession()
    for name, arguments in FUNCTIONS.items():
        for first in (None, c_void_p(0xDEADBEEF), c_void_p((1 << 64) - 1), closed.handle, session.handle):
            rest = [None if "*" in argument else c_uint32(0) for argument in arguments[1:]]
            if name in ("SDF_OpenDevice", "SDF_CloseSession") and first is session.handle:
                continue
            call = getattr(library, name)
            status = call(*((None,) if name == "SDF_OpenDevice" else (first, *rest)))
            accepted = name == "SDF_ExchangeDigitEnvelopeBaseOnRSA" or status in CODES.values()
            assert accepted, (name, first, hex(status))
            if "RSA" in name:
                assert status == CODES["SDR_NOTSUPPORT"]


def test_lengths_beyond_every_bound_are_refused(sdf):
    key, most, out, length = sdf.key(), c_uint32(0xFFFFFFFF), create_string_buffer(64), c_uint32(0)
    assert sdf.code("GetPrivateKeyAccessRight", 1, out, most) == "SDR_INARGERR"
    assert sdf.code("ImportKeyWithKEK", ECB, 1, out, most, byref(c_void_p())) == "SDR_ENCDATAERR"
    assert sdf.code("CreateFile", b"x", 1, most) == "SDR_FILESIZEERR"
    assert sdf.code("CreateFile", out, most, 1) == "SDR_INARGERR"
    assert sdf.code("ExternalKeyHMACInit", 1, out, most) == "SDR_INARGERR"
    assert sdf.code("HashInit", 1, byref(PublicPoint(bits=256)), out, most) == "SDR_INARGERR"
    assert sdf.code("Encrypt", key, ECB, None, out, most, out, byref(length)) == "SDR_INARGERR"
    assert sdf.code("InternalEncrypt_ECC", 1, 0x00020800, out, most, byref(Envelope())) == "SDR_INARGERR"
    for bits in (0, 7, 520, 0xFFFFFFF8):
        assert sdf.code("GenerateKeyWithIPK_ECC", 1, bits, byref(Envelope()), byref(c_void_p())) == "SDR_INARGERR"


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


def test_a_key_serves_its_own_session_only(library, device):
    one, other = Session(library, device), Session(library, device)
    key, out, length = one.key(), create_string_buffer(16), c_uint32()
    assert other.code("Encrypt", key, ECB, None, KEY, 16, out, byref(length)) == "SDR_KEYNOTEXIST"
    one.CloseSession()
    assert other.code("DestroyKey", key) == "SDR_KEYNOTEXIST"
    assert one.code("GenerateRandom", 16, out) == "SDR_OPENSESSION"


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
            continue  # longer than any key of the machine; tests/crypto has them
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


def test_signing_needs_the_password(sdf):
    point, signature, e = PublicPoint(), Signature(), os.urandom(32)
    assert sdf.code("InternalSign_ECC", 1, e, 32, byref(signature)) == "SDR_PARDENY"
    assert sdf.code("GetPrivateKeyAccessRight", 1, b"wrong password", 14) == "SDR_PRKRERR"
    assert sdf.code("GetPrivateKeyAccessRight", 9, PASSWORD, len(PASSWORD)) == "SDR_KEYNOTEXIST"
    sdf.GetPrivateKeyAccessRight(1, PASSWORD, len(PASSWORD))
    sdf.InternalSign_ECC(1, e, 32, byref(signature))
    sdf.InternalVerify_ECC(1, e, 32, byref(signature))
    sdf.ExportSignPublicKey_ECC(1, byref(point))
    assert sm2.PublicKey(point.raw()).verify_digest(signature.raw(), e)
    sdf.ReleasePrivateKeyAccessRight(1)
    assert sdf.code("InternalSign_ECC", 1, e, 32, byref(signature)) == "SDR_PARDENY"
    assert sdf.code("ReleasePrivateKeyAccessRight", 1) == "SDR_KEYNOTEXIST"


def test_ten_wrong_passwords_lock_a_key_until_its_administrator_unlocks_it(sdf, home):
    for _ in range(10):
        assert sdf.code("GetPrivateKeyAccessRight", 2, b"wrong password", 14) == "SDR_PRKRERR"
    assert sdf.code("GetPrivateKeyAccessRight", 2, b"another password", 16) == "SDR_PARDENY"
    sdf_device.unlock_pair(home, 2)
    sdf.GetPrivateKeyAccessRight(2, b"another password", 16)


def test_envelopes_go_round(sdf):
    envelope, again, point, key, out = Envelope(), Envelope(), PublicPoint(), c_void_p(), create_string_buffer(64)
    length = c_uint32()
    sdf.GetPrivateKeyAccessRight(1, PASSWORD, len(PASSWORD))
    sdf.InternalEncrypt_ECC(1, 0x00020800, b"secret", 6, byref(envelope))
    assert envelope.length == 6
    sdf.InternalDecrypt_ECC(1, 0x00020800, byref(envelope), out, byref(length))
    assert out.raw[: length.value] == b"secret"
    envelope.c[0] ^= 1
    assert sdf.code("InternalDecrypt_ECC", 1, 0x00020800, byref(envelope), out, byref(length)) == "SDR_ENCDATAERR"
    number = PrivateNumber()
    sdf.GenerateKeyPair_ECC(0x00020800, 256, byref(point), byref(number))
    sdf.GenerateKeyWithIPK_ECC(1, 128, byref(envelope), byref(key))
    sdf.ExchangeDigitEnvelopeBaseOnECC(1, 0x00020800, byref(point), byref(envelope), byref(again))
    sdf.ExternalDecrypt_ECC(0x00020800, byref(number), byref(again), out, byref(length))
    raw, sealed = out.raw[:16], sdf.run("Encrypt", key, ECB, None, KEY)[0]
    assert sealed == Cipher(algorithms.SM4(raw), modes.ECB()).encryptor().update(KEY)
    brought = c_void_p()
    sdf.ImportKeyWithISK_ECC(1, byref(envelope), byref(brought))
    assert sdf.run("Encrypt", brought, ECB, None, KEY)[0] == sealed
    signature = Signature()
    sdf.ExternalSign_ECC(0x00020200, byref(number), KEY * 2, 32, byref(signature))
    sdf.ExternalVerify_ECC(0x00020200, byref(point), KEY * 2, 32, byref(signature))
    sdf.GenerateKeyWithEPK_ECC(256, 0x00020800, byref(point), byref(envelope), byref(key))
    sdf.ExternalEncrypt_ECC(0x00020800, byref(point), b"x", 1, byref(envelope))
    sdf.ExternalDecrypt_ECC(0x00020800, byref(number), byref(envelope), out, byref(length))
    assert out.raw[: length.value] == b"x"


def test_two_sides_agree_on_a_key(library, device):
    sponsor, response = Session(library, device), Session(library, device)
    points = [PublicPoint() for _ in range(4)]
    agreement, one, other = c_void_p(), c_void_p(), c_void_p()
    for side in (sponsor, response):
        side.GetPrivateKeyAccessRight(1, PASSWORD, len(PASSWORD))
    sponsor.GenerateAgreementDataWithECC(1, 128, b"A", 1, byref(points[0]), byref(points[1]), byref(agreement))
    response.GenerateAgreementDataAndKeyWithECC(1, 128, b"B", 1, b"A", 1, *map(byref, points), byref(one))
    sponsor.GenerateKeyWithECC(b"B", 1, byref(points[2]), byref(points[3]), agreement, byref(other))
    assert sponsor.run("Encrypt", other, ECB, None, KEY) == response.run("Encrypt", one, ECB, None, KEY)
    again = sponsor.code("GenerateKeyWithECC", b"B", 1, byref(points[2]), byref(points[3]), agreement, byref(other))
    assert again == "SDR_STEPERR"


@pytest.mark.parametrize(("algorithm", "size"), [(ECB, 16), (CBC, 48), (GCM, 44)])
def test_a_key_under_a_kek_comes_back(sdf, algorithm, size):
    out, length, key, again = create_string_buffer(128), c_uint32(), c_void_p(), c_void_p()
    sdf.GenerateKeyWithKEK(128, algorithm, 1, out, byref(length), byref(key))
    assert length.value == size
    sdf.ImportKeyWithKEK(algorithm, 1, out, size, byref(again))
    assert sdf.run("Encrypt", key, ECB, None, KEY) == sdf.run("Encrypt", again, ECB, None, KEY)
    assert sdf.code("ImportKeyWithKEK", algorithm, 2, out, size, byref(again)) == "SDR_KEYNOTEXIST"
    assert sdf.code("ImportKeyWithKEK", algorithm, 1, out, size - 1, byref(again)) == "SDR_ENCDATAERR"
    if algorithm == GCM:
        changed = bytearray(out.raw[:size])
        changed[20] ^= 1
        assert sdf.code("ImportKeyWithKEK", algorithm, 1, bytes(changed), size, byref(again)) == "SDR_ENCDATAERR"


def test_keys_in_clear_for_validation(sdf):
    out, length, iv = create_string_buffer(16), c_uint32(), create_string_buffer(KEY, 16)
    sdf.ExternalKeyEncrypt(CBC, KEY, 16, iv, 16, KEY, 16, out, byref(length))
    sealed = out.raw
    assert sealed == Cipher(algorithms.SM4(KEY), modes.CBC(KEY)).encryptor().update(KEY)
    sdf.ExternalKeyDecrypt(CBC, KEY, 16, create_string_buffer(KEY, 16), 16, sealed, 16, out, byref(length))
    assert out.raw == KEY
    for name, given, wanted in (("Encrypt", KEY, sealed), ("Decrypt", sealed, KEY)):
        getattr(sdf, f"ExternalKey{name}Init")(CBC, KEY, 16, KEY, 16)
        getattr(sdf, f"{name}Update")(given, 16, out, byref(length))
        getattr(sdf, f"{name}Final")(None, byref(length))
        assert out.raw == wanted


def test_files(sdf):
    name, out, length = "档案".encode(), create_string_buffer(100), c_uint32(100)
    sdf.CreateFile(name, len(name), 50)
    assert sdf.code("CreateFile", name, len(name), 50) == "SDR_FILEEXISTS"
    sdf.WriteFile(name, len(name), 45, 5, b"tail!")
    sdf.ReadFile(name, len(name), 40, byref(length), out)
    assert out.raw[: length.value] == bytes(5) + b"tail!"
    assert sdf.code("WriteFile", name, len(name), 46, 5, b"tail!") == "SDR_FILEOFSERR"
    assert sdf.code("ReadFile", name, len(name), 50, byref(length), out) == "SDR_FILEOFSERR"
    sdf.DeleteFile(name, len(name))
    assert sdf.code("DeleteFile", name, len(name)) == "SDR_FILENOEXIST"
    assert sdf.code("ReadFile", name, len(name), 0, byref(length), out) == "SDR_FILENOEXIST"


def test_random_bytes(sdf):
    seen = set()
    for size in (16, 1000, 100_000):
        out = create_string_buffer(size)
        sdf.GenerateRandom(size, out)
        seen.add(out.raw[:16])
    assert len(seen) == 3


def test_sessions_work_at_once(library, device):
    """Eight threads open, use, share and close; handles closed under a call end in a code."""
    shared, wrong = Session(library, device), []

    def work(number):
        for _ in range(40):
            own = Session(library, device)
            key = own.key(bytes([number]) * 16)
            expected = Cipher(algorithms.SM4(bytes([number]) * 16), modes.ECB()).encryptor().update(KEY * 64)
            if own.run("Encrypt", key, ECB, None, KEY * 64)[0] != expected:
                wrong.append(number)
            out = create_string_buffer(32)
            if shared.code("GenerateRandom", 32, out) != 0:
                wrong.append("shared")
            own.CloseSession()
            if own.code("GenerateRandom", 32, out) != "SDR_OPENSESSION":
                wrong.append("closed")

    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.fixture
def second_home(tmp_path, library):
    folder, before = tmp_path / "home", os.environ["EHC_SDF_HOME"]
    sdf_device.create(folder, datetime.now(UTC))
    sdf_device.add_pair(folder, 1, PASSWORD)
    sdf_device.add_kek(folder, 1)
    sdf_device.add_kek(folder, 2)
    os.environ["EHC_SDF_HOME"] = str(folder)
    yield folder
    os.environ["EHC_SDF_HOME"] = before


@pytest.mark.parametrize("record", ["pair-1", "kek-1", "device"])
def test_a_changed_or_exchanged_record_is_refused(library, second_home, record):
    def code():
        """0, or what the first of the calls that fails says."""
        device, out, length = c_void_p(), create_string_buffer(64), c_uint32()
        status = library.SDF_OpenDevice(byref(device))
        if not status:
            session = Session(library, device)
            status = session.code("GenerateKeyWithKEK", 128, ECB, 1, out, byref(length), byref(c_void_p()))
            status = status or session.code("ExportSignPublicKey_ECC", 1, byref(PublicPoint()))
            library.SDF_CloseDevice(device)
        return next((known for known, number in CODES.items() if number == status), status)

    assert code() == 0
    path = second_home / record
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[25] ^= 1
    for other in (bytes(changed), whole[:-1], b"", (second_home / "kek-2").read_bytes()):
        path.write_bytes(other)
        assert code() == ("SDR_OPENDEVICE" if record == "device" else "SDR_HARDFAIL")
    path.write_bytes(whole)
    assert code() == 0
    (second_home / "device.key").chmod(0o644)
    assert code() == "SDR_OPENDEVICE"


def test_without_libcrypto_the_device_does_not_open(home):
    program = (
        f"import ctypes\nlibrary = ctypes.CDLL({LIBRARY!r})\n"
        "print(hex(library.SDF_OpenDevice(ctypes.byref(ctypes.c_void_p()))))"
    )
    environment = {**os.environ, "EHC_SDF_HOME": str(home), "EHC_LIBCRYPTO": "/nowhere"}
    assert subprocess.check_output([sys.executable, "-c", program], text=True, env=environment) == "0x1000004\n"


def test_no_key_in_clear_lies_in_the_folder(home):
    for path in home.iterdir():
        assert KEK not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_administrator_is_told_what_is_wrong(tmp_path, home):
    with pytest.raises(Conflict):
        sdf_device.create(home, datetime.now(UTC))
    with pytest.raises(Conflict):
        sdf_device.add_kek(home, 1)
    with pytest.raises(InputError, match="8 to 128"):
        sdf_device.add_pair(home, 7, b"short")
    with pytest.raises(ConfigError, match="no folder of this machine"):
        sdf_device.add_kek(tmp_path / "nothing", 1)
