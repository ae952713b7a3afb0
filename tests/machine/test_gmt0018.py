"""The loader of GM/T 0018 libraries, over our own."""

import os
import subprocess
from datetime import UTC, datetime
from threading import Thread

import pytest

from ehc.crypto import Batch, KeyHandle, hmac_sm3, sdf_device, sm2, sm4_ecb_encrypt
from ehc.errors import ConfigError, KeyringError, KeyUnavailable
from ehc.keys.life import Operation, Purpose
from ehc.machine.gmt0018 import GROUPS, Device, Library, MachineError
from ehc.machine.gmt0018_kept import KeptKey, KeptKeys
from ehc.machine.gmt0018_keys import Gmt0018Machine, MachineKeys
from ehc.machine.gmt0018_vendors import VENDORS
from ehc.ports import Capability

KEK, KEY, PASSWORD = bytes(range(16)), bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"), b"a long password"
PEOPLE = Batch.pack([("01", f"{11010020000101000 + i:018}", "电子健康卡") for i in range(40)])
OLD_LIBRARY = """
int SDF_OpenDevice(void **h) { *h = h; return 0; }
int SDF_CloseDevice(void *h) { return 0; }
int SDF_OpenSession(void *d, void **s) { *s = s; return 0; }
int SDF_CloseSession(void *s) { return 0; }
int SDF_GetDeviceInfo(void *s, void *i) { return 0x01010007; }
int SDF_Encrypt(void *s, void *k, unsigned a, void *iv, void *in, unsigned n, void *out, unsigned *m)
{ *m = n - 1; return 0; }
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machine") / "home"
    sdf_device.create(folder, datetime(2026, 11, 29, tzinfo=UTC), serial=7)
    sdf_device.add_pair(folder, 1, PASSWORD)
    sdf_device.add_kek(folder, 1, KEK)
    before = os.environ.get("EHC_SDF_HOME")
    os.environ["EHC_SDF_HOME"] = str(folder)
    yield folder
    os.environ.pop("EHC_SDF_HOME")
    if before is not None:
        os.environ["EHC_SDF_HOME"] = before


@pytest.fixture(params=["ehc", "gmssl"])
def device(home, request):
    """gmssl: as the loader speaks to GmSSL's and SoftSDF's libraries, which ours understands too."""
    opened = Device(Library(sdf_device.LIBRARY, request.param))
    yield opened
    opened.close()


def test_a_key_comes_in_wrapped_is_used_and_goes(device):
    session = device.session()
    wrapped, generated = session.generate_key(1)
    key = session.import_key(wrapped, 1)
    blocks = os.urandom(40_000)
    sealed = session.ecb(key, blocks)
    assert sealed == session.ecb(generated, blocks)
    assert session.ecb(key, sealed, decrypt=True) == blocks
    session.destroy(key)
    with pytest.raises(MachineError, match="SDR_KEYNOTEXIST"):
        session.ecb(key, blocks)


def test_a_known_key_gives_known_answers(home):
    session = Device(Library(sdf_device.LIBRARY, "ehc")).session()
    key = session.import_key(sm4_ecb_encrypt(KEK, KEY), 1)
    assert session.ecb(key, KEY).hex().upper() == "681EDF34D206965E86B3E94F536E4246"  # GB/T 32907 annex A.1
    assert session.hmac(key, b"text") == hmac_sm3(KEY, b"text")


def test_hmac_is_one_answer_by_either_way(device):
    session = device.session()
    wrapped, key = session.generate_key(1)
    again = Device(Library(sdf_device.LIBRARY, "ehc")).session()
    if device.library.vendor.name == "ehc":
        assert again.hmac(again.import_key(wrapped, 1), b"text") == session.hmac(key, b"text")
    else:
        assert len(session.hmac(key, b"text")) == 32


def test_signatures_are_sm2s(device):
    session = device.session()
    with session.right(1, PASSWORD):
        signature = session.sign(1, bytes(32))
    assert sm2.PublicKey(session.public_key(1)).verify_digest(signature, bytes(32))
    with pytest.raises(MachineError, match="SDR_PARDENY"):
        session.sign(1, bytes(32))
    with pytest.raises(MachineError, match="SDR_PRKRERR"), session.right(1, b"wrong password"):
        pass


def test_every_thread_has_a_session_of_its_own(device):
    handles = [device.session().handle.value]
    thread = Thread(target=lambda: handles.append(device.session().handle.value))
    thread.start()
    thread.join()
    assert len(set(handles)) == 2
    assert device.session().random(20) != device.session().random(20)


def test_our_library_lacks_nothing():
    assert Library(sdf_device.LIBRARY).missing() == {}


def test_a_poor_library_is_used_as_far_as_it_goes(tmp_path):
    (tmp_path / "old.c").write_text(OLD_LIBRARY)
    subprocess.run(["gcc", "-shared", "-fPIC", tmp_path / "old.c", "-o", tmp_path / "old.so"], check=True)
    library = Library(tmp_path / "old.so", "standard2012")
    assert set(library.missing()) == set(GROUPS)
    assert library.missing()["mac"] == ["HMACInit", "HMACUpdate", "HMACFinal"]
    device = Device(library)
    with pytest.raises(KeyUnavailable, match="has no SDF_HMACInit"):
        device.session().hmac(None, b"text")
    with pytest.raises(MachineError, match="0x01010007: a code of the vendor's own"):
        device.info()
    with pytest.raises(MachineError, match="gave 15 bytes for 16"):
        device.session().ecb(None, bytes(16))
    device.close()
    device.close()


def test_an_unknown_vendor_is_refused_with_those_known():
    with pytest.raises(ConfigError, match=", ".join(VENDORS)):
        Library(sdf_device.LIBRARY, "nobody")


def test_a_key_service_signs_with_the_machines_own_pair(home):
    machine = Gmt0018Machine(
        Device(Library(sdf_device.LIBRARY, "ehc")), MachineKeys.of(KeptKeys(keys=()), {3: 1}, PASSWORD)
    )
    assert Capability.SIGN in machine.capabilities
    made = machine.sign(b"text")
    assert made.version == 3
    assert sm2.PublicKey(machine.verification_keys()[3]).verify(made.value, b"text")
    machine.close()


def kept(wrapped, check_value, kek=1, pair=0):
    may = (Operation.DERIVE, Operation.LOOK_UP)
    return KeptKeys(
        keys=(
            KeptKey(
                purpose=Purpose.SECURITY_KEY,
                version=1,
                may=may,
                check_value=check_value,
                kek=kek,
                pair=pair,
                sealed=wrapped,
            ),
        )
    )


@pytest.fixture
def machine(device):
    return Gmt0018Machine(device, MachineKeys.of(KeptKeys(keys=()), {}, PASSWORD))


def taken(machine, keys, password=PASSWORD):
    machine.take_over(MachineKeys.of(keys, {}, password))
    return machine


def test_a_key_made_in_the_machine_makes_card_ids(machine, device):
    wrapped, handle = device.session().generate_key(1)
    check_value = device.session().ecb(handle, bytes(16))[:3].hex().upper()
    taken(machine, kept(wrapped, check_value))
    assert machine.security_key_check_value == check_value
    first = machine.derive_batch(PEOPLE).hex().card_id
    assert first == machine.derive_batch(PEOPLE).hex().card_id
    assert len(set(first)) == len(PEOPLE)


def test_a_key_that_is_not_what_its_file_says_is_not_taken_over(home):
    machine = Gmt0018Machine(
        Device(Library(sdf_device.LIBRARY, "ehc")), MachineKeys.of(KeptKeys(keys=()), {}, PASSWORD)
    )
    good = sm4_ecb_encrypt(KEK, KEY)
    taken(machine, kept(good, KeyHandle(KEY).check_value))
    before = machine.derive_batch(PEOPLE).hex().card_id
    for keys, password, why in (
        (kept(good, "000000"), PASSWORD, "security_key version 1: .* has check value .*, not 000000"),
        (kept(good, "000000", kek=9), PASSWORD, "SDR_KEYNOTEXIST"),
        (kept(bytes(130), "000000", kek=0, pair=1), PASSWORD, "ImportKeyWithISK_ECC answered"),
        (kept(bytes(130), "000000", kek=0, pair=1), b"wrong password", "SDR_PRKRERR"),
    ):
        with pytest.raises(KeyringError, match=why):
            taken(machine, keys, password)
    assert machine.derive_batch(PEOPLE).hex().card_id == before


def test_a_session_that_the_machine_forgot_is_opened_once_more(machine, device):
    wrapped, handle = device.session().generate_key(1)
    taken(machine, kept(wrapped, device.session().ecb(handle, bytes(16))[:3].hex().upper()))
    before = machine.derive_batch(PEOPLE).hex().card_id
    device.library.call("CloseSession", device.session().handle)
    assert machine.derive_batch(PEOPLE).hex().card_id == before


def test_an_envelope_has_the_vendors_layout():
    sealed = bytes(range(96)) + b"sixteen bytes---"
    ours, old, soft = (VENDORS[name].envelope(sealed) for name in ("standard2023", "sansec", "gmssl"))
    assert ours == bytes(32) + sealed[:32] + bytes(32) + sealed[32:96] + b"\x10\0\0\0" + sealed[96:]
    assert soft == ours + bytes(255 - 16)
    assert old == b"\x10\0\0\0" + ours[:128] + sealed[96:].ljust(136, b"\0") + sealed[64:96].ljust(64, b"\0")
