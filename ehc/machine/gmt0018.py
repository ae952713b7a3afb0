"""A GM/T 0018 (SDF) library, opened by its path: its functions bound when they are first used, its errors as ours.

One session a thread: a session of the standard does one thing at a time.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ctypes import create_string_buffer
from pathlib import Path
from typing import Any, Literal

from ehc.errors import ConfigError, KeyUnavailable, Unavailable
from ehc.machine.gmt0018_vendors import ERRORS, Vendor, vendor

_NEEDED = ["OpenDevice", "CloseDevice", "OpenSession", "CloseSession", "GetDeviceInfo"]
GROUPS = {
    "device": [*_NEEDED, "GenerateRandom"],
    "derive, validity, bound, wrap": ["DestroyKey", "Encrypt", "Decrypt"],
    "keys under a KEK": ["ImportKeyWithKEK", "GenerateKeyWithKEK"],
    "keys in envelopes": ["ExportEncPublicKey_ECC", "GetPrivateKeyAccessRight", "ImportKeyWithISK_ECC"],
    "mac": ["HMACInit", "HMACUpdate", "HMACFinal"],
    "sign": [
        "GetPrivateKeyAccessRight",
        "ReleasePrivateKeyAccessRight",
        "ExportSignPublicKey_ECC",
        "InternalSign_ECC",
    ],
    "hash": ["HashInit", "HashUpdate", "HashFinal"],
    "parts": ["EncryptInit", "EncryptUpdate", "EncryptFinal", "DecryptInit", "DecryptUpdate", "DecryptFinal"],
}
"""Capability -> functions without which a library has it not."""


class DeviceInfo(ctypes.Structure):
    _pack_ = 1
    _fields_ = (
        ("issuer", ctypes.c_char * 40),
        ("name", ctypes.c_char * 16),
        ("serial", ctypes.c_char * 16),
        ("version", ctypes.c_uint32),
        ("standard", ctypes.c_uint32),
        ("asymmetric", ctypes.c_uint32 * 2),
        ("symmetric", ctypes.c_uint32),
        ("hash", ctypes.c_uint32),
        ("buffer", ctypes.c_uint32),
    )


class PublicPoint(ctypes.Structure):
    """ECCrefPublicKey: 32-byte coordinates right-aligned in 64."""

    _pack_ = 1
    _fields_ = (("bits", ctypes.c_uint32), ("x", ctypes.c_uint8 * 64), ("y", ctypes.c_uint8 * 64))

    def raw(self) -> bytes:
        return bytes(self.x)[32:] + bytes(self.y)[32:]


class Signature(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("r", ctypes.c_uint8 * 64), ("s", ctypes.c_uint8 * 64))

    def raw(self) -> bytes:
        return bytes(self.r)[32:] + bytes(self.s)[32:]


class Library:
    """path: the shared library; vendor_name: a row of gmt0018_vendors. Raises ConfigError when it cannot be loaded."""

    def __init__(self, path: Path | str, vendor_name: str = "standard2023") -> None:
        self.path, self.vendor = str(path), vendor(vendor_name)
        try:
            self._library = ctypes.CDLL(self.path)
        except OSError as error:
            raise ConfigError(f"the crypto machine's library cannot be loaded: {error}") from error
        missing = [name for name in _NEEDED if not self.has(name)]
        if missing:
            raise ConfigError(f"{self.path} is no GM/T 0018 library: SDF_{', SDF_'.join(missing)} missing")

    def has(self, name: str) -> bool:
        return hasattr(self._library, f"SDF_{name}")

    def missing(self) -> dict[str, list[str]]:
        """Capability -> the functions it lacks; those of which nothing lacks are left out."""
        groups = GROUPS | ({"mac": ["CalculateMAC"]} if self.vendor.hmac_by_mac else {})
        lacking = {group: [name for name in names if not self.has(name)] for group, names in groups.items()}
        return {group: names for group, names in lacking.items() if names}

    def call(self, name: str, *arguments: Any) -> None:
        """SDF_name(...). Raises KeyUnavailable for a function that is not there, Unavailable for any error."""
        function = self._function(name)
        status = function(*arguments) & 0xFFFFFFFF
        if status:
            raise _error(self.vendor, name, status)

    def _function(self, name: str) -> Callable[..., int]:
        try:
            function: Callable[..., int] = getattr(self._library, f"SDF_{name}")
        except AttributeError:
            raise KeyUnavailable(f"{self.path} has no SDF_{name}: see `ehc sdf report`") from None
        return function


class MachineError(Unavailable):
    """A GM/T 0018 function answered with an error. code: SDR_*."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def _error(of: Vendor, name: str, status: int) -> MachineError:
    known = of.errors.get(status) or ERRORS.get(status, "a code of the vendor's own")
    return MachineError(f"the crypto machine's SDF_{name} answered 0x{status:08X}: {known}", status)


class Device:
    """An open device; every thread gets a session of its own. close() ends them all."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._handle = ctypes.c_void_p()
        self._local = threading.local()
        library.call("OpenDevice", ctypes.byref(self._handle))

    def session(self) -> Session:
        """This thread's."""
        if not hasattr(self._local, "session"):
            self._local.session = Session(self.library, self._handle)
        session: Session = self._local.session
        return session

    def renew_session(self) -> None:
        """This thread gets another session: the machine was restarted, or forgot what was in the old one."""
        old: Session | None = self._local.__dict__.pop("session", None)
        if old is not None:
            with suppress(MachineError):
                self.library.call("CloseSession", old.handle)

    def info(self) -> DeviceInfo:
        info = DeviceInfo()
        self.library.call("GetDeviceInfo", self.session().handle, ctypes.byref(info))
        return info

    def close(self) -> None:
        """The device closes its sessions."""
        if self._handle:
            self.library.call("CloseDevice", self._handle)
            self._handle = ctypes.c_void_p()


class Session:
    """A session of one thread: keys under handles, SM4, HMAC-SM3, signatures."""

    def __init__(self, library: Library, device: ctypes.c_void_p) -> None:
        self.library, self.handle = library, ctypes.c_void_p()
        library.call("OpenSession", device, ctypes.byref(self.handle))

    def import_key(self, wrapped: bytes, kek: int) -> ctypes.c_void_p:
        """A key wrapped under a KEK of the machine, in the vendor's form."""
        key = ctypes.c_void_p()
        algorithm = self.library.vendor.sm4 | self.library.vendor.wrap_mode
        self.library.call("ImportKeyWithKEK", self.handle, algorithm, kek, wrapped, len(wrapped), ctypes.byref(key))
        return key

    def open(self, sealed: bytes, pair: int) -> ctypes.c_void_p:
        """A key in an SM2 envelope (C1 ‖ C3 ‖ C2) to the encryption pair at a place, to which the right is held."""
        key, envelope = ctypes.c_void_p(), self.library.vendor.envelope(sealed)
        self.library.call("ImportKeyWithISK_ECC", self.handle, pair, envelope, ctypes.byref(key))
        return key

    def generate_key(self, kek: int) -> tuple[bytes, ctypes.c_void_p]:
        """A new 16-byte key: wrapped under a KEK, for keeping, and its handle. Its bytes are nowhere outside."""
        key, out, length = ctypes.c_void_p(), create_string_buffer(256), ctypes.c_uint32(256)
        algorithm = self.library.vendor.sm4 | self.library.vendor.wrap_mode
        self.library.call(
            "GenerateKeyWithKEK", self.handle, 128, algorithm, kek, out, ctypes.byref(length), ctypes.byref(key)
        )
        return out.raw[: length.value], key

    def destroy(self, key: ctypes.c_void_p) -> None:
        self.library.call("DestroyKey", self.handle, key)

    def ecb(self, key: ctypes.c_void_p, data: bytes, *, decrypt: bool = False) -> bytes:
        """SM4-ECB of whole blocks, split where the lengths of 32 bits and old machines' buffers want it; block by block
        through CBC where a vendor has no ECB."""
        step = _CALL if self.library.vendor.has_ecb else 16
        parts = (data[at : at + step] for at in range(0, len(data), step))
        return b"".join(self._blocks(key, part, "Decrypt" if decrypt else "Encrypt") for part in parts)

    def _blocks(self, key: ctypes.c_void_p, data: bytes, name: str) -> bytes:
        out, length, iv = create_string_buffer(len(data)), ctypes.c_uint32(len(data)), create_string_buffer(16)
        algorithm = self.library.vendor.sm4 | (0x01 if self.library.vendor.has_ecb else 0x02)
        self.library.call(name, self.handle, key, algorithm, iv, data, len(data), out, ctypes.byref(length))
        if length.value != len(data):
            raise MachineError(f"SDF_{name} gave {length.value} bytes for {len(data)}", 0x01000001)
        return out.raw

    def hmac(self, key: ctypes.c_void_p, data: bytes) -> bytes:
        out, length = create_string_buffer(32), ctypes.c_uint32(32)
        algorithm = self.library.vendor.sm3
        if self.library.vendor.hmac_by_mac:
            self.library.call(
                "CalculateMAC", self.handle, key, algorithm, None, data, len(data), out, ctypes.byref(length)
            )
            return out.raw
        self.library.call("HMACInit", self.handle, key, algorithm)
        self.library.call("HMACUpdate", self.handle, data, len(data))
        self.library.call("HMACFinal", self.handle, out, ctypes.byref(length))
        return out.raw

    @contextmanager
    def right(self, index: int, password: bytes) -> Iterator[None]:
        """The use of the private keys at an index, while it is held."""
        self.library.call("GetPrivateKeyAccessRight", self.handle, index, password, len(password))
        try:
            yield
        finally:
            self.library.call("ReleasePrivateKeyAccessRight", self.handle, index)

    def sign(self, index: int, e: bytes) -> bytes:
        """r ‖ s over e, 32 bytes; the right to the index is held."""
        signature = Signature()
        self.library.call("InternalSign_ECC", self.handle, index, e, len(e), ctypes.byref(signature))
        return signature.raw()

    def public_key(self, index: int, kind: Literal["Sign", "Enc"] = "Sign") -> bytes:
        """x ‖ y of the signing or the encryption key at an index."""
        point = PublicPoint()
        self.library.call(f"Export{kind}PublicKey_ECC", self.handle, index, ctypes.byref(point))
        return point.raw()

    def random(self, length: int) -> bytes:
        out = create_string_buffer(length)
        self.library.call("GenerateRandom", self.handle, length, out)
        return out.raw


_CALL = 1 << 14
"""Bytes a call: some machines' buffers end there."""
