"""The host protocol's machine, slow and obvious: one body in, one body out (native/README.md, "Frames")."""

from reference.sm3 import sm3
from reference.sm4 import ecb_decrypt, ecb_encrypt
from reference.validity import read_block

ANSWERS = {b"NC": b"ND", b"CR": b"CS", b"3C": b"3D", b"S3": b"S4", b"S4": b"S5"}
HEX = set(b"0123456789abcdefABCDEF")


class Refused(Exception):
    """Its code."""


class Body:
    def __init__(self, body):
        self.rest = body

    def take(self, n):
        if len(self.rest) < n:
            raise Refused(11)
        taken, self.rest = self.rest[:n], self.rest[n:]
        return taken

    def end(self):
        if self.rest:
            raise Refused(12)


def require(true, code):
    if not true:
        raise Refused(code)


def answer(body, security, protection, text):
    """security, protection: version -> key; text: what NC says."""
    name = ANSWERS.get(body[:2], b"ER")
    try:
        require(len(body) >= 2, 11)
        require(name != b"ER", 10)
        rest = Body(body[2:])
        if name == b"ND":
            rest.end()
            return name + b"00" + text
        if name == b"CS":
            said = rest.take(4)
            rest.end()
            return name + b"00" + said + b"0" * 12
        if name == b"3D":
            return name + b"0032" + digest(rest)
        made = cipher(rest, security, protection, opens=name == b"S5")
        return name + b"00" + b"%04X" % len(made) + made
    except Refused as refused:
        return name + b"%02d" % refused.args[0]


def digest(rest):
    head = rest.take(6)
    require(head[:2] == b"20", 14)
    require(set(head[2:]) <= set(b"0123456789"), 13)
    data = rest.take(int(head[2:]))
    require(rest.take(9) == b";00000000", 13)
    rest.end()
    return sm3(data)


def cipher(rest, security, protection, opens):
    head = rest.take(12)
    require(head[:5] == b"0000A", 14)
    require(head[5:6] == b"K" and set(head[6:10]) <= set(b"0123456789"), 13)
    number = int(head[6:10]) - 102
    require(number >= 2 and number % 2 == 0 and number // 2 <= 255, 20)
    require(head[10:] in (b"00", b"01"), 15)
    factor = read_factor(rest.take(32)) if head[10:] == b"01" else None
    head = rest.take(8)
    require(head[:2] == b"00" and set(head[4:]) <= HEX, 13)
    require(head[2:4] == (b"05" if opens else b"02"), 16)
    data = rest.take(int(head[4:], 16))
    rest.end()
    require(data and not (opens and len(data) % 16), 17)
    keys = protection if factor is None else security
    require(number // 2 in keys, 20)
    key = keys[number // 2]
    if factor is None:
        return validity(key, data, opens)
    user_key = ecb_encrypt(key, factor)
    return ecb_decrypt(user_key, data) if opens else ecb_encrypt(user_key, data + bytes(-len(data) % 16))


def read_factor(digits):
    require(set(digits) <= HEX, 13)
    factor = bytes.fromhex(digits.decode())
    require(all(a ^ b == 255 for a, b in zip(factor[:8], factor[8:], strict=True)), 15)
    return factor


def validity(key, data, opens):
    require(len(data) == (16 if opens else 7), 17)
    block = ecb_decrypt(key, data) if opens else data + bytes(9)
    require(read_block(block) is not None, 22)
    return block if opens else ecb_encrypt(key, block)
