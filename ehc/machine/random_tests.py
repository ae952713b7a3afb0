"""Is this random? The tests of GM/T 0005 (随机性检测) that find a broken source at once, and the two of
NIST SP 800-90B, 4.4 that watch a source while it is used.

A test gives the probability that good randomness looks at least so uneven. It fails under ALPHA: one start in a
million of a good source, every start of a broken one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ehc.errors import Unavailable

ALPHA = 1e-6
SAMPLE = 1 << 17  # bytes: a million bits

Bits = NDArray[np.uint8]


def monobit(bits: Bits) -> float:
    """单比特频数: as many ones as zeros (GM/T 0005, 4.4.1)."""
    return math.erfc(abs(2.0 * int(bits.sum()) - len(bits)) / math.sqrt(2 * len(bits)))


def poker(bits: Bits, m: int = 4) -> float:
    """扑克: every pattern of m bits as often as the others (4.4.3)."""
    groups = bits[: len(bits) // m * m].reshape(-1, m) @ (1 << np.arange(m, dtype=np.int64))
    seen = np.bincount(groups, minlength=1 << m)
    patterns = 1 << m
    squares = float(((seen - len(groups) / patterns) ** 2).sum())
    return chi_square_tail(squares * patterns / len(groups), patterns - 1)


def runs(bits: Bits) -> float:
    """游程总数: as many changes as there should be (4.4.5)."""
    n, share = len(bits), float(bits.mean())
    spread = share * (1 - share)
    if spread == 0:
        return 0.0
    changes = 1 + int(np.count_nonzero(bits[1:] != bits[:-1]))
    return math.erfc(abs(changes - 2 * n * spread) / (2 * math.sqrt(2 * n) * spread))


_LONGEST = 1e4, (10, 11, 12, 13, 14, 15, 16), (0.0882, 0.2092, 0.2483, 0.1933, 0.1208, 0.0675, 0.0727)


def longest_run(bits: Bits) -> float:
    """块内最大游程: the longest run of ones in 10,000 bits (4.4.7; classes and shares of its table)."""
    size, classes, shares = int(_LONGEST[0]), _LONGEST[1], np.array(_LONGEST[2])
    blocks = bits[: len(bits) // size * size].reshape(-1, size)
    longest = [max(map(len, block.tobytes().split(b"\0"))) for block in blocks]
    seen = np.bincount(np.clip(longest, classes[0], classes[-1]) - classes[0], minlength=len(classes))
    expected = shares * len(blocks)
    return chi_square_tail(float(((seen - expected) ** 2 / expected).sum()), len(classes) - 1)


TESTS: dict[str, Callable[[Bits], float]] = {
    "monobit": monobit,
    "poker": poker,
    "runs": runs,
    "longest run": longest_run,
}


def chi_square_tail(x: float, degrees: int) -> float:
    """P(χ² ≥ x): the closed forms for an even and an odd number of degrees."""
    half = x / 2
    if degrees % 2 == 0:
        return math.exp(-half) * math.fsum(half**k / math.factorial(k) for k in range(degrees // 2))
    terms = (half ** (k + 0.5) / math.gamma(k + 1.5) for k in range(degrees // 2))
    return math.erfc(math.sqrt(half)) + math.exp(-half) * math.fsum(terms)


def failures(random: Callable[[int], bytes]) -> list[str]:
    """What a sample of the source fails, each with its probability."""
    bits = np.unpackbits(np.frombuffer(random(SAMPLE), np.uint8))
    found = {name: test(bits) for name, test in TESTS.items()}
    return [f"{name} (p = {p:.1e})" for name, p in found.items() if not p >= ALPHA]


REPEATED = 5  # 1 + 30 / 8: bytes of full entropy, one false alarm in 2^30
WINDOW, MOST = 512, 21  # P(more than 21 of 511 bytes equal the first) < 2^-30


class WatchedSource:
    """A source that is watched while it is used: repetition count and adaptive proportion, byte by byte.

    Raises Unavailable for good once one of them fails.
    """

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random, self._failed = random, ""
        self._last, self._count = -1, 0
        self._first, self._seen, self._equal = -1, WINDOW, 0

    def __call__(self, n: int) -> bytes:
        taken = self._random(n)
        for byte in taken:
            self._watch(byte)
        if self._failed:
            raise Unavailable(f"the random source failed its {self._failed} test: no secret is made of it")
        return taken

    def _watch(self, byte: int) -> None:
        self._last, self._count = byte, self._count + 1 if byte == self._last else 1
        if self._count >= REPEATED:
            self._failed = "repetition count"
        if self._seen == WINDOW:
            self._first, self._seen, self._equal = byte, 1, 0
            return
        self._seen += 1
        self._equal += byte == self._first
        if self._equal > MOST:
            self._failed = "adaptive proportion"
