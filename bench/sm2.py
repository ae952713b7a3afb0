"""SM2 of what installs by name, side by side: `python bench/sm2.py [--gmssl libgmssl.so] [--keep FILE]`.

Every contender signs, verifies, encrypts, decrypts and makes keys; each answer is checked by ours, off the clock. Laps
go round all contenders in turn, and the median of their rates counts.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import secrets
import statistics
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from ehc.crypto import sm2

KEY = sm2.PrivateKey.generate()
RAW = bytearray(32)
KEY.write_raw(RAW)
SECRET, POINT, MESSAGE = bytes(RAW), bytes(KEY.public_key), secrets.token_bytes(32)
E = KEY.public_key.digest(MESSAGE)
SIGNATURE, CIPHERTEXT = KEY.sign(MESSAGE), KEY.public_key.encrypt(MESSAGE)
JOBS = ("sign", "verify", "encrypt", "decrypt", "generate")
Calls = dict[str, Callable[[], Any]]


def ours() -> Calls:
    public = KEY.public_key
    assert KEY.decrypt(public.encrypt(MESSAGE)) == MESSAGE
    return {
        "sign": lambda: KEY.sign_digest(E),
        "verify": lambda: public.verify_digest(SIGNATURE, E),
        "encrypt": lambda: public.encrypt(MESSAGE),
        "decrypt": lambda: KEY.decrypt(CIPHERTEXT),
        "generate": sm2.PrivateKey.generate,
    }


def gmssl_pyx() -> Calls:
    import gmssl_pyx as peer

    der, sealed = sm2.der_of(SIGNATURE), peer.sm2_encrypt(POINT, MESSAGE)
    assert KEY.public_key.verify_digest(sm2.of_der(peer.sm2_sign_sm3_digest(SECRET, E)), E)
    assert peer.sm2_verify_sm3_digest(POINT, E, der)
    assert peer.sm2_decrypt(SECRET, sealed) == MESSAGE
    return {
        "sign": lambda: peer.sm2_sign_sm3_digest(SECRET, E),
        "verify": lambda: peer.sm2_verify_sm3_digest(POINT, E, der),
        "encrypt": lambda: peer.sm2_encrypt(POINT, MESSAGE),
        "decrypt": lambda: peer.sm2_decrypt(SECRET, sealed),
        "generate": peer.sm2_key_generate,
    }


def tongsuopy() -> Calls:
    from tongsuopy.crypto import hashes
    from tongsuopy.crypto.asymciphers import ec

    private = ec.derive_private_key(int.from_bytes(SECRET), ec.SM2())
    public, how = private.public_key(), ec.ECDSA(hashes.SM3())
    der = sm2.der_of(SIGNATURE)
    assert KEY.public_key.verify(sm2.of_der(private.sign(MESSAGE, how)), MESSAGE)
    public.verify(der, MESSAGE, how)
    return {
        "sign": lambda: private.sign(MESSAGE, how),
        "verify": lambda: public.verify(der, MESSAGE, how),
        "generate": lambda: ec.generate_private_key(ec.SM2()),
    }


def gmalg() -> Calls:
    from gmalg import SM2

    peer = SM2(SECRET, sm2.DEFAULT_USER_ID, b"\4" + POINT)
    r, s = SIGNATURE[:32], SIGNATURE[32:]
    assert KEY.public_key.verify(b"".join(peer.sign(MESSAGE)), MESSAGE)
    assert peer.verify(MESSAGE, r, s)
    sealed = peer.encrypt(MESSAGE)
    assert peer.decrypt(sealed) == MESSAGE
    return {
        "sign": lambda: peer.sign(MESSAGE),
        "verify": lambda: peer.verify(MESSAGE, r, s),
        "encrypt": lambda: peer.encrypt(MESSAGE),
        "decrypt": lambda: peer.decrypt(sealed),
        "generate": peer.generate_keypair,
    }


def gmssl() -> Calls:
    from gmssl.sm2 import CryptSM2

    peer = CryptSM2(private_key=SECRET.hex(), public_key=POINT.hex(), mode=1)
    assert KEY.public_key.verify_digest(bytes.fromhex(peer.sign(E, f"{secrets.randbits(250):064x}")), E)
    assert peer.verify(SIGNATURE.hex(), E)
    sealed = peer.encrypt(MESSAGE)
    assert peer.decrypt(sealed) == MESSAGE
    return {
        "sign": lambda: peer.sign(E, f"{secrets.randbits(250):064x}"),
        "verify": lambda: peer.verify(SIGNATURE.hex(), E),
        "encrypt": lambda: peer.encrypt(MESSAGE),
        "decrypt": lambda: peer.decrypt(sealed),
    }


def gmssl_c(path: str) -> Calls:
    """GmSSL's own library through ctypes: what its C gives, and some 1 µs of ctypes."""
    library = ctypes.CDLL(path)
    key = ctypes.create_string_buffer(1024)
    assert library.sm2_key_generate(key) == 1
    der, length = ctypes.create_string_buffer(128), ctypes.c_size_t()
    sealed, sealed_length = ctypes.create_string_buffer(512), ctypes.c_size_t()
    clear, clear_length = ctypes.create_string_buffer(512), ctypes.c_size_t()
    message = ctypes.c_size_t(len(MESSAGE))
    calls = {
        "sign": lambda: library.sm2_sign(key, E, der, ctypes.byref(length)),
        "verify": lambda: library.sm2_verify(key, E, der, length),
        "encrypt": lambda: library.sm2_encrypt(key, MESSAGE, message, sealed, ctypes.byref(sealed_length)),
        "decrypt": lambda: library.sm2_decrypt(key, sealed, sealed_length, clear, ctypes.byref(clear_length)),
        "generate": lambda: library.sm2_key_generate(ctypes.create_string_buffer(1024)),
    }
    assert [call() for call in calls.values()] == [1] * 5
    assert clear.raw[: clear_length.value] == MESSAGE
    return calls


def rate(call: Callable[[], Any], seconds: float) -> float:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        call()
        count += 1
    return count / (time.perf_counter() - start)


def measure(contenders: dict[str, Calls], laps: int, seconds: float) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, list[float]]] = {name: {job: [] for job in calls} for name, calls in contenders.items()}
    for _ in range(laps):
        for job in JOBS:
            for name, calls in contenders.items():
                if job in calls:
                    found[name][job].append(rate(calls[job], seconds))
    return {name: {job: statistics.median(rates) for job, rates in jobs.items()} for name, jobs in found.items()}


def table(found: dict[str, dict[str, float]]) -> str:
    lines = ["| a second | " + " | ".join(JOBS) + " |", "|---|" + "--:|" * len(JOBS)]
    for name, jobs in found.items():
        cells = [f"{jobs[job]:,.0f}" if job in jobs else "–" for job in JOBS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gmssl", help="GmSSL's shared library, built elsewhere")
    parser.add_argument("--laps", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--keep", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    contenders, missing = {"ehc (OpenSSL's libcrypto)": ours()}, []
    for name, make in {"gmssl_pyx": gmssl_pyx, "tongsuopy": tongsuopy, "gmalg": gmalg, "gmssl": gmssl}.items():
        try:
            contenders[f"{name} {metadata.version(name)}"] = make()
        except ImportError:
            missing.append(name)
    if given.gmssl:
        contenders["GmSSL, C"] = gmssl_c(given.gmssl)
    found = measure(contenders, given.laps, given.seconds)
    print(table(found))
    if missing:
        print("not here:", ", ".join(missing))
    if given.keep:
        kept = {"machine": platform.machine(), "laps": given.laps, "rates": found}
        given.keep.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
