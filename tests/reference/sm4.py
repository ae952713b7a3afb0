"""SM4 (GB/T 32907-2016) and its ECB mode, written from the clauses; the S-box computed, not copied."""

FK = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)  # 7.3
CK = tuple(int.from_bytes(bytes((4 * i + j) * 7 % 256 for j in range(4)), "big") for i in range(32))


def multiply(a: int, b: int, modulus: int) -> int:
    """Product of two bytes in GF(2)[x] / modulus."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a <<= 1
        a ^= modulus if a & 0x100 else 0
        b >>= 1
    return product


def invert(a: int, modulus: int) -> int:
    """a^254: the inverse, and 0 for 0."""
    result = 1
    for _ in range(254):
        result = multiply(result, a, modulus)
    return result


def affine(x: int, first_row: int = 0xA7, constant: int = 0xD3) -> int:
    """A·x + C; row i of A, which makes bit i counted from the left, is the first row rotated right i - 1 times."""
    result = 0
    for i in range(8):
        row = (first_row << i | first_row >> (8 - i)) & 0xFF
        result |= (row & x).bit_count() % 2 << i
    return result ^ constant


SBOX = bytes(affine(invert(affine(x), 0x1F5)) for x in range(256))


def rotl(x: int, n: int) -> int:
    return (x << n | x >> (32 - n)) & 0xFFFFFFFF


def tau(x: int) -> int:  # 6.2 a)
    return int.from_bytes(bytes(SBOX[b] for b in x.to_bytes(4, "big")), "big")


def t(x: int) -> int:  # 6.2
    b = tau(x)
    return b ^ rotl(b, 2) ^ rotl(b, 10) ^ rotl(b, 18) ^ rotl(b, 24)


def t_key(x: int) -> int:  # 7.3
    b = tau(x)
    return b ^ rotl(b, 13) ^ rotl(b, 23)


def words(block: bytes) -> list[int]:
    return [int.from_bytes(block[i : i + 4], "big") for i in range(0, 16, 4)]


def round_keys(key: bytes) -> list[int]:  # 7.3
    k = [word ^ fk for word, fk in zip(words(key), FK, strict=True)]
    for i in range(32):
        k.append(k[i] ^ t_key(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ CK[i]))
    return k[4:]


def crypt(block: bytes, keys: list[int]) -> bytes:  # 7.1, 7.2
    x = words(block)
    for i, key in enumerate(keys):
        x.append(x[i] ^ t(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ key))
    return b"".join(word.to_bytes(4, "big") for word in reversed(x[-4:]))


def _ecb(keys: list[int], data: bytes) -> bytes:
    return b"".join(crypt(data[i : i + 16], keys) for i in range(0, len(data), 16))


def ecb_encrypt(key: bytes, data: bytes) -> bytes:
    return _ecb(round_keys(key), data)


def ecb_decrypt(key: bytes, data: bytes) -> bytes:
    return _ecb(round_keys(key)[::-1], data)
