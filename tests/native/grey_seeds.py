"""What the fuzz target of the grey core begins with: `python tests/native/grey_seeds.py CORPUS`.

The first byte is a part of native/tests/fuzz_grey.cpp, then comes what that part takes.
"""

import sys
from pathlib import Path

import numpy as np
import segno

from ehc.reader.spec_sheet import hanxin_matrix

WHOLE, FIRST_LOOK, ANYWHERE, FINDER, OUTLINE, BLOCK, CONTENT, BITS = 0, 1, 3, 6, 9, 10, 16, 22
HANXIN = 32
"""Added to a part: the same with Han Xin code."""


HANXIN_MESSAGES = {
    "digits": bytes.fromhex("11efff80"),
    "text": bytes.fromhex("22fcffe0"),
    "bytes": bytes.fromhex("301234567800"),
    "regions": bytes.fromhex("4001ffe001fff0"),
    "two bytes": bytes.fromhex("600bfffc00"),
    "four bytes": bytes.fromhex("7000010000"),
    "character set": bytes.fromhex("81a22fc000"),
}
"""One of each mode, all ended or nearly."""


def modules(version: int, error: str) -> bytes:
    """Of a real symbol, eight a byte."""
    code = segno.make_qr("HC1", version=version, error=error, boost_error=False)
    return np.packbits(np.array([list(row) for row in code.matrix], np.uint8)).tobytes()


def message(text: bytes, length: int) -> bytes:
    """Data codewords of a byte segment, terminator and pads."""
    bits = f"0100{len(text):08b}" + "".join(f"{byte:08b}" for byte in text) + "0000"
    words = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return words + (b"\xec\x11" * length)[: length - len(words)]


def seeds() -> dict[str, bytes]:
    noise = np.random.default_rng(1).bytes
    found = {
        "block": bytes((BLOCK, 24, 9)) + noise(52),
        "content": bytes((CONTENT, 0)) + message(b"HC1", 16),
        "finder": bytes((FINDER, 0, 40, 40, 1)) + noise(1600),
        "outline": bytes((OUTLINE, 1)) + modules(1, "m"),
        "anywhere": bytes((ANYWHERE, 1, 0)) + b"\x80\0" * 8 + bytes((60, 60, 0)) + noise(3600),
    }
    for version in range(1, 6):
        drawn = modules(version, "lmqh"[version % 4])
        for name, part, said in (("whole", WHOLE, 1), ("first", FIRST_LOOK, 0), ("bits", BITS, 7)):
            found[f"{name}{version}"] = bytes((part, version - 1, said)) + drawn
        drawn = np.packbits(hanxin_matrix("HC1", version=version, level=1 + version % 4)).tobytes()
        for name, part in (("whole", WHOLE), ("first", FIRST_LOOK), ("bits", BITS)):
            found[f"hanxin {name}{version}"] = bytes((HANXIN + part, version - 1, 1)) + drawn
    found["hanxin finder"] = bytes((HANXIN + FINDER, 1)) + np.packbits(hanxin_matrix("HC1", version=1)).tobytes()
    found["hanxin outline"] = bytes((HANXIN + OUTLINE, 1)) + np.packbits(hanxin_matrix("HC1", version=1)).tobytes()
    found["hanxin block"] = bytes((HANXIN + BLOCK, 24, 9)) + noise(52)
    found["hanxin anywhere"] = bytes((HANXIN + ANYWHERE, 1, 0)) + b"\x80\0" * 8 + bytes((60, 60, 0)) + noise(3600)
    for name, codewords in HANXIN_MESSAGES.items():
        found[f"hanxin {name}"] = bytes((HANXIN + CONTENT, 0)) + codewords
    return found


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds().items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
