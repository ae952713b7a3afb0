"""Splitting a secret M of N (Shamir, 1979) over GF(2^8) with the polynomial of AES, x^8 + x^4 + x^3 + x + 1.

Each byte of the secret is the value at 0 of a polynomial of its own, of degree M - 1; a share is the values at its
index. M shares give the secret, fewer say nothing about it. A share is authenticated: whoever splits notes SM3 of each
(`commitment`), so that a forged one is named before anything is put together.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from ehc.crypto import sm3, wipe
from ehc.errors import InputError, KeyringError

MAX_SHARES = 255
SUBSETS_CHECKED = 8
"""Up to so many shares every subset is tried after splitting; above, each share stands in one that is tried."""


@dataclass(frozen=True, slots=True)
class Share:
    """One custodian's part. value: as long as the secret; out of repr, wiped by `wipe`."""

    index: int  # 1..255
    value: bytearray = field(repr=False)

    def commitment(self, name: bytes) -> bytes:
        """name: of this splitting. Says nothing about the value, which is as random as a key."""
        return sm3(b"ehc share v1" + name + bytes([self.index]) + self.value)

    def wipe(self) -> None:
        wipe(self.value)


def split(secret: bytearray, needed: int, count: int, random: Callable[[int], bytes]) -> list[Share]:
    """`count` shares, any `needed` of which give the secret; put together again and compared before this returns.

    random: so many random bytes. Raises InputError for numbers out of range.
    """
    if not 2 <= needed <= count <= MAX_SHARES:
        raise InputError(f"{needed} of {count} shares: take 2 or more, of at most {MAX_SHARES}")
    higher = [bytearray(random(len(secret))) for _ in range(needed - 1)]
    shares = [Share(x, _values([secret, *higher], x)) for x in range(1, count + 1)]
    for coefficient in higher:
        wipe(coefficient)
    _verify(shares, needed, secret)
    return shares


def _verify(shares: Sequence[Share], needed: int, secret: bytearray) -> None:
    every = combinations(shares, needed) if len(shares) <= SUBSETS_CHECKED else _windows(shares, needed)
    for some in every:
        again = combine(some)
        same = hmac.compare_digest(again, secret)
        wipe(again)
        if not same:
            raise KeyringError(
                "the shares do not give the secret back: this machine computes wrongly; nothing was made"
            )


def _windows(shares: Sequence[Share], needed: int) -> Iterable[list[Share]]:
    return ([shares[(i + k) % len(shares)] for k in range(needed)] for i in range(0, len(shares), needed))


def combine(shares: Iterable[Share]) -> bytearray:
    """The secret of exactly as many shares as are needed: with fewer or wrong ones it is another, unnoticed here.

    Raises InputError when one share is there twice or their lengths differ.
    """
    shares = list(shares)
    places = [share.index for share in shares]
    if len(set(places)) < len(places) or len({len(share.value) for share in shares}) != 1:
        raise InputError("the shares are not of one splitting, or one is there twice")
    weights = [_weight(x, [other for other in places if other != x]) for x in places]
    secret = bytearray(len(shares[0].value))
    for share, weight in zip(shares, weights, strict=True):
        for i, value in enumerate(share.value):
            secret[i] ^= _times(value, weight)
    return secret


def forged(shares: Iterable[Share], name: bytes, commitments: Sequence[bytes]) -> list[int]:
    """Indices of shares that are not what was split."""
    return [
        share.index
        for share in shares
        if not 1 <= share.index <= len(commitments)
        or not hmac.compare_digest(share.commitment(name), commitments[share.index - 1])
    ]


def _values(coefficients: Sequence[bytearray], x: int) -> bytearray:
    """The polynomials' values at x, highest coefficient last (Horner)."""
    values = bytearray(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        for i, c in enumerate(coefficient):
            values[i] = _times(values[i], x) ^ c
    return values


def _weight(x: int, others: Iterable[int]) -> int:
    """Lagrange's, at 0: the product of o / (o - x), where - is XOR."""
    product = 1
    for o in others:
        product = _times(product, _times(o, _inverse(o ^ x)))
    return product


def _times(a: int, b: int) -> int:
    return _POWERS[_LOGS[a] + _LOGS[b]] if a and b else 0


def _inverse(a: int) -> int:
    return _POWERS[255 - _LOGS[a]]


def _powers() -> list[int]:
    """Of 3, which generates the field, twice around: so that the sum of two logarithms is an index."""
    powers = [1]
    for _ in range(2 * 255 - 1):
        twice = powers[-1] << 1
        powers.append(powers[-1] ^ (twice ^ 0x11B if twice > 255 else twice))
    return powers


_POWERS = _powers()
_LOGS = [0] + [_POWERS.index(a) for a in range(1, 256)]
