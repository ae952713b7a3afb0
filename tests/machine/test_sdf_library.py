"""libehcsdf.so through its C interface, as any program sees it: every function, right and wrong."""

import ctypes
import os
import subprocess
import sys
from ctypes import byref, c_uint32, c_void_p, create_string_buffer
from datetime import UTC, datetime
from threading import Thread

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sdf_sessions import (
    CBC,
    CODES,
    ECB,
    FUNCTIONS,
    GCM,
    KEK,
    KEY,
    LIBRARY,
    PASSWORD,
    Envelope,
    PrivateNumber,
    Session,
)

from ehc.crypto import sdf_device, sm2
from ehc.errors import ConfigError, Conflict, InputError
from ehc.machine.gmt0018 import DeviceInfo, PublicPoint, Signature


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


def test_a_key_serves_its_own_session_only(library, device):
    one, other = Session(library, device), Session(library, device)
    key, out, length = one.key(), create_string_buffer(16), c_uint32()
    assert other.code("Encrypt", key, ECB, None, KEY, 16, out, byref(length)) == "SDR_KEYNOTEXIST"
    one.CloseSession()
    assert other.code("DestroyKey", key) == "SDR_KEYNOTEXIST"
    assert one.code("GenerateRandom", 16, out) == "SDR_OPENSESSION"


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
