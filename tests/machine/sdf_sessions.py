"""libehcsdf.so through its C interface: sessions for the tests of it."""

import ctypes
import os
import re
from ctypes import byref, c_uint32, c_void_p, create_string_buffer
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ehc.crypto import sdf_device

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
)  # tests/native/test_libraries_sanitized.py has its own
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


def numbers(raw):
    return (ctypes.c_uint8 * 64)(*bytes(32), *raw)
