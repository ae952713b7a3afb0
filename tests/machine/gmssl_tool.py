"""GmSSL's command-line tool drives libehcsdf.so, unchanged. GmSSL is in no distribution, so CI does not have it.

    PYTHONPATH=tests python tests/machine/gmssl_tool.py --gmssl /opt/gmssl/bin/gmssl

Each of its six SDF commands runs over a machine of its own; what comes out is compared with what we compute elsewhere.
sdfdecrypt (24ae4827) forgets to write the blocks of its first buffer, over every library; so texts of a block and more
that sdfencrypt sealed are opened through the C interface here.
"""

import argparse
import base64
import ctypes
import os
import subprocess
import tempfile
from collections.abc import Iterator
from ctypes import byref, c_void_p
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sdf_sessions import CBC, LIBRARY, PASSWORD, Envelope, Session, numbers

from ehc.crypto import sdf_device, sm2, sm3

TEXT = b"message to be signed"
PAIR = ("-key", "1")
OPENED = (*PAIR, "-pass", PASSWORD.decode())


@dataclass
class Tool:
    """The tool, and a folder with a machine that has the key pairs 1."""

    gmssl: str
    home: Path

    def __post_init__(self) -> None:
        sdf_device.create(self.home / "sdf", datetime.now(UTC))
        sdf_device.add_pair(self.home / "sdf", 1, bytearray(PASSWORD))

    def ask(self, command: str, *words: str, given: bytes = b"", fails: bool = False) -> bytes:
        """What it printed; what it complained of where it fails."""
        done = subprocess.run(
            [self.gmssl, command, "-lib", LIBRARY, *words],
            input=given,
            capture_output=True,
            check=False,
            env=os.environ | {"EHC_SDF_HOME": str(self.home / "sdf")},
        )
        assert (done.returncode != 0) is fails, (command, done)
        return done.stderr if fails else done.stdout

    def exported(self, use: str) -> tuple[str, sm2.PublicKey]:
        """The PEM file of a public key; the point stands at the end of it."""
        file = self.home / f"{use}.pem"
        file.write_bytes(self.ask("sdfexport", f"-{use}", *PAIR))
        return str(file), sm2.PublicKey(base64.b64decode(file.read_text("ascii").split("-----")[2])[-64:])

    def opened(self, sealed: bytes) -> bytes:
        """What sdfencrypt made: an SM2 envelope in DER with the key, the IV, blocks in CBC with PKCS#7 padding."""
        os.environ["EHC_SDF_HOME"] = str(self.home / "sdf")
        library, device, key = ctypes.CDLL(LIBRARY), c_void_p(), c_void_p()
        assert library.SDF_OpenDevice(byref(device)) == 0
        session, size = Session(library, device), 2 + sealed[1]
        x, y, digest, ciphertext = _parts(sealed[:size])
        x, y = (part.lstrip(b"\0").rjust(32, b"\0") for part in (x, y))
        envelope = Envelope(numbers(x), numbers(y), tuple(digest), len(ciphertext), tuple(ciphertext.ljust(256, b"\0")))
        session.GetPrivateKeyAccessRight(1, PASSWORD, len(PASSWORD))
        session.ImportKeyWithISK_ECC(1, byref(envelope), byref(key))
        text, _ = session.run("Decrypt", key, CBC, sealed[size : size + 16], sealed[size + 16 :])
        library.SDF_CloseDevice(device)
        return text[: -text[-1]]


def check(tool: Tool) -> None:
    """Prints a line a command. Raises AssertionError where an answer is not ours."""
    print("sdfinfo   ", " ".join(tool.ask("sdfinfo").decode().split())[:200])
    digest = tool.ask("sdfdigest", given=b"abc").strip().decode()
    assert digest == sm3(b"abc").hex()
    print("sdfdigest ", digest)
    file, public = tool.exported("sign")
    assert bytes.fromhex(tool.ask("sdfdigest", "-pubkey", file, given=TEXT).decode()) == public.digest(TEXT)
    print("sdfexport  and sdfdigest -pubkey: Z and e are ours")
    assert public.verify(sm2.of_der(tool.ask("sdfsign", *OPENED, given=TEXT)), TEXT)
    assert b"PRKRERR" in tool.ask("sdfsign", *PAIR, "-pass", "another", given=TEXT, fails=True)
    print("sdfsign    verified by ehc.crypto.sm2; another password: SDR_PRKRERR")
    file, _ = tool.exported("encrypt")
    for size in (0, 1, 15, 16, 17, 5000, 100_000):
        text = os.urandom(size)
        sealed = tool.ask("sdfencrypt", "-pubkey", file, given=text)
        assert tool.opened(sealed) == text
        if size < 16:
            assert tool.ask("sdfdecrypt", *OPENED, given=sealed) == text
    print("sdfencrypt of 0 to 100,000 bytes, opened through the C interface")
    print("sdfdecrypt of 0 to 15 bytes (of longer texts the tool loses the beginning)")


def _parts(der: bytes) -> Iterator[bytes]:
    """Of a short SEQUENCE."""
    at = 2
    while at < 2 + der[1]:
        yield der[at + 2 : at + 2 + der[at + 1]]
        at += 2 + der[at + 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gmssl", required=True, help="the tool")
    with tempfile.TemporaryDirectory() as home:
        check(Tool(parser.parse_args().gmssl, Path(home)))


if __name__ == "__main__":
    main()
