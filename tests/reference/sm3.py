"""SM3 (GB/T 32905-2016) and HMAC-SM3 (RFC 2104), written from the clauses."""

IV = 0x7380166F_4914B2B9_172442D7_DA8A0600_A96F30BC_163138AA_E38DEE4D_B0FB0E4E  # 4.1
MASK = 0xFFFFFFFF


def rotl(x: int, n: int) -> int:
    n %= 32
    return (x << n | x >> (32 - n)) & MASK


def p0(x: int) -> int:  # 4.4
    return x ^ rotl(x, 9) ^ rotl(x, 17)


def p1(x: int) -> int:
    return x ^ rotl(x, 15) ^ rotl(x, 23)


def t(j: int) -> int:  # 4.2
    return 0x79CC4519 if j < 16 else 0x7A879D8A


def ff(j: int, x: int, y: int, z: int) -> int:  # 4.3
    return x ^ y ^ z if j < 16 else (x & y) | (x & z) | (y & z)


def gg(j: int, x: int, y: int, z: int) -> int:
    return x ^ y ^ z if j < 16 else (x & y) | (~x & MASK & z)


def pad(message: bytes) -> bytes:  # 5.2
    bits = 8 * len(message)
    zeros = -(len(message) + 9) % 64
    return message + b"\x80" + bytes(zeros) + bits.to_bytes(8, "big")


def compress(v: list[int], block: bytes) -> list[int]:  # 5.3
    w = [int.from_bytes(block[4 * i : 4 * i + 4], "big") for i in range(16)]
    for j in range(16, 68):
        w.append(p1(w[j - 16] ^ w[j - 9] ^ rotl(w[j - 3], 15)) ^ rotl(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = v
    for j in range(64):
        ss1 = rotl((rotl(a, 12) + e + rotl(t(j), j)) & MASK, 7)
        ss2 = ss1 ^ rotl(a, 12)
        tt1 = (ff(j, a, b, c) + d + ss2 + (w[j] ^ w[j + 4])) & MASK
        tt2 = (gg(j, e, f, g) + h + ss1 + w[j]) & MASK
        a, b, c, d = tt1, a, rotl(b, 9), c
        e, f, g, h = p0(tt2), e, rotl(f, 19), g
    return [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h), strict=True)]


def sm3(message: bytes) -> bytes:
    v = [IV >> 32 * (7 - i) & MASK for i in range(8)]
    padded = pad(message)
    for at in range(0, len(padded), 64):
        v = compress(v, padded[at : at + 64])
    return b"".join(x.to_bytes(4, "big") for x in v)


def hmac_sm3(key: bytes, message: bytes) -> bytes:
    key = (sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = sm3(bytes(k ^ 0x36 for k in key) + message)
    return sm3(bytes(k ^ 0x5C for k in key) + inner)
