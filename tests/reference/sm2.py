"""SM2 (GB/T 32918) over any of the standard's curves, with the random numbers given. Affine, slow, obvious."""

from __future__ import annotations

from dataclasses import dataclass

from reference.sm3 import sm3

Point = tuple[int, int] | None  # None: the point at infinity


@dataclass(frozen=True)
class Curve:
    """y² = x³ + ax + b mod p; binary: y² + xy = x³ + ax² + b over F2m, p the reduction polynomial."""

    p: int
    a: int
    b: int
    x: int
    y: int
    n: int
    binary: bool = False
    cofactor: int = 1

    @property
    def base(self) -> Point:
        return self.x, self.y

    @property
    def size(self) -> int:
        """Bytes of an element of the field."""
        return (self.p.bit_length() - self.binary + 7) // 8

    def times(self, u: int, v: int) -> int:
        if not self.binary:
            return u * v % self.p
        product = 0
        while v:
            if v & 1:
                product ^= u
            v >>= 1
            u <<= 1
            if u.bit_length() == self.p.bit_length():
                u ^= self.p
        return product

    def inverse(self, u: int) -> int:
        if not self.binary:
            return pow(u, -1, self.p)
        rest, other, result, fellow = u, self.p, 1, 0  # Euclid's algorithm on polynomials
        while rest != 1:
            shift = rest.bit_length() - other.bit_length()
            if shift < 0:
                rest, other, result, fellow, shift = other, rest, fellow, result, -shift
            rest, result = rest ^ other << shift, result ^ fellow << shift
        return result

    def add(self, p: Point, q: Point) -> Point:
        """Part 1, 3.2.3."""
        if p is None or q is None:
            return p or q
        return self._add_binary(p, q) if self.binary else self._add_prime(p, q)

    def _add_prime(self, p: tuple[int, int], q: tuple[int, int]) -> Point:
        if p[0] == q[0] and (p[1] + q[1]) % self.p == 0:
            return None
        if p == q:
            slope = (3 * p[0] * p[0] + self.a) * self.inverse(2 * p[1])
        else:
            slope = (q[1] - p[1]) * self.inverse(q[0] - p[0])
        x = (slope * slope - p[0] - q[0]) % self.p
        return x, (slope * (p[0] - x) - p[1]) % self.p

    def _add_binary(self, p: tuple[int, int], q: tuple[int, int]) -> Point:
        if p[0] == q[0] and p[1] ^ q[1] in (0, p[0]) and (p != q or p[0] == 0):
            return None
        if p == q:
            slope = p[0] ^ self.times(p[1], self.inverse(p[0]))
            x = self.times(slope, slope) ^ slope ^ self.a
            return x, self.times(p[0], p[0]) ^ self.times(slope ^ 1, x)
        slope = self.times(p[1] ^ q[1], self.inverse(p[0] ^ q[0]))
        x = self.times(slope, slope) ^ slope ^ p[0] ^ q[0] ^ self.a
        return x, self.times(slope, p[0] ^ x) ^ x ^ p[1]

    def multiply(self, k: int, p: Point) -> Point:
        result: Point = None
        while k:
            if k & 1:
                result = self.add(result, p)
            p = self.add(p, p)
            k >>= 1
        return result

    def octets(self, *elements: int) -> bytes:
        return b"".join(element.to_bytes(self.size) for element in elements)


def z(curve: Curve, user_id: bytes, key: tuple[int, int]) -> bytes:
    """Part 2, 5.5."""
    parts = curve.octets(curve.a, curve.b, curve.x, curve.y, *key)
    return sm3((8 * len(user_id)).to_bytes(2) + user_id + parts)


def sign(curve: Curve, d: int, e: bytes, k: int) -> tuple[int, int]:
    """Part 2, 6.1."""
    x, _ = curve.multiply(k, curve.base)  # type: ignore[misc]
    r = (int.from_bytes(e) + x) % curve.n
    return r, pow(1 + d, -1, curve.n) * (k - r * d) % curve.n


def verify(curve: Curve, key: Point, e: bytes, r: int, s: int) -> bool:
    """Part 2, 7.1."""
    t = (r + s) % curve.n
    if not (0 < r < curve.n and 0 < s < curve.n and t):
        return False
    point = curve.add(curve.multiply(s, curve.base), curve.multiply(t, key))
    return point is not None and (int.from_bytes(e) + point[0]) % curve.n == r


def kdf(shared: bytes, length: int) -> bytes:
    """Part 3, 5.4.3, and part 4, 5.4.3."""
    blocks = (sm3(shared + i.to_bytes(4)) for i in range(1, (length + 31) // 32 + 1))
    return b"".join(blocks)[:length]


def encrypt(curve: Curve, key: Point, message: bytes, k: int) -> tuple[bytes, bytes, bytes]:
    """Part 4, 6.1: C1 (x ‖ y), C3, C2."""
    x, y = curve.multiply(k, key)  # type: ignore[misc]
    stream = kdf(curve.octets(x, y), len(message))
    c2 = bytes(a ^ b for a, b in zip(message, stream, strict=True))
    c3 = sm3(curve.octets(x) + message + curve.octets(y))
    return curve.octets(*curve.multiply(k, curve.base)), c3, c2  # type: ignore[misc]


def agree(
    curve: Curve, own: tuple[int, int], other: tuple[Point, tuple[int, int]], *, zs: bytes, length: int
) -> tuple[bytes, tuple[int, int]]:
    """Part 3, 6.1: the key and the common point U. own: d and r; other: P and R; zs: ZA ‖ ZB."""
    (d, r), (p, once) = own, other
    w = ((curve.n - 1).bit_length() + 1) // 2 - 1

    def half(x: int) -> int:
        return 2**w + (x & (2**w - 1))

    x, _ = curve.multiply(r, curve.base)  # type: ignore[misc]
    t = (d + half(x) * r) % curve.n
    common = curve.multiply(curve.cofactor * t, curve.add(p, curve.multiply(half(once[0]), once)))
    assert common is not None
    return kdf(curve.octets(*common) + zs, length), common


def confirm(curve: Curve, tag: int, u: tuple[int, int], *, zs: bytes, once: tuple[int, ...]) -> bytes:
    """Part 3, steps A9 and B8. zs: ZA ‖ ZB; once: x and y of RA, then of RB; tag: 2 for SB, 3 for SA."""
    inner = sm3(curve.octets(u[0]) + zs + curve.octets(*once))
    return sm3(bytes([tag]) + curve.octets(u[1]) + inner)
