"""Requests for native/tests/replay.c, and the reference's answers, about codes of ours: card-bound tokens, compact
codes and base45. Chosen, like token_requests.py, so that each line of their C matters to some answer."""

from reference import base45, bound, compact
from reference.sm4 import ecb_encrypt
from token_requests import CARD, KEY, STATUS, YEAR_0, YEAR_9999, T, hexed

RIGHT = (440100, 1, 2, 3, T, 0xA7, 1234567890123456789)  # issuer, node, ttl, channel, issued at, serial, account
LAST = compact.EPOCH + 2**32 - 1
TEXT_OF_ZEROS = "00" * 77


def pieces(rows, sizes):
    yield from ((rows * 200)[:n] for n in sizes)


def make_bound(rows):
    def token(card, fields):
        wrong = not YEAR_0 <= fields.expiry <= YEAR_9999 or fields.channel > 15 or fields.scene > 15
        return None if wrong or fields.sequence >> 24 else bound.make_token(card, fields, KEY)

    tokens = [token(card, fields) for card, fields in rows]
    batch = "".join(f" 0 {token}" if token else f" 49 {'0' * 32}" for token in tokens)
    alone = "".join(f" 0 {token}" if token else " 49 " for token in tokens)
    asked = " ".join(f"{card.hex()} {' '.join(map(str, fields))}" for card, fields in rows)
    return f"A {KEY.hex()} {len(rows)} {asked}", f"{tokens.count(None)}{batch}{alone}"


def bound_rows():
    card = bytes.fromhex(CARD)
    right = bound.Bound(T, 3, 1, 2, 0xABCDEF)
    for field, values in {
        "expiry": (YEAR_0 - 1, YEAR_0, YEAR_9999, YEAR_9999 + 1),
        "channel": (0, 15, 16),
        "scene": (0, 15, 16),
        "sequence": (0, 2**24 - 1, 2**24),
        "key_version": (0, 255),
    }.items():
        yield from ((card, right._replace(**{field: value})) for value in values)
    yield from ((bytes([*card[:at], card[at] ^ 1 << at % 8, *card[at + 1 :]]), right) for at in range(32))


def bound_text(plain, card=CARD):
    return f"{card}:0:{ecb_encrypt(bound.card_key(bytes.fromhex(card), KEY), plain).hex()}".encode()


def forged_bound():
    """Each byte of a block changed: authentic or not, and what it says then."""
    right = bound.block(bound.Bound(T, 3, 1, 2, 0xABCDEF))
    for at in range(16):
        for bit in (0x01, 0x10, 0x80):
            plain = bytes([*right[:at], right[at] ^ bit, *right[at + 1 :]])
            found = bound.read_plain(plain)
            text = bound_text(plain)
            reason = "forged" if found is None else "key_version" if found.key_version != 3 else ""
            expiry = 0 if found is None else found.expiry
            reason = reason or ("expired" if expiry < T else "early" if expiry > T + 300 else "accepted")
            yield (
                f"B {KEY.hex()} {T} 0 300 0 2 3 1 {hexed(text)}",
                f"{int(reason != 'accepted')} {STATUS[reason]} {expiry}",
            )


def compact_text(fields=RIGHT, version=1, tail=bytes(4)):
    issuer, node, ttl, channel, at, serial, account = fields
    day = (at - compact.EPOCH) // 86400
    plain = account.to_bytes(8, "big") + day.to_bytes(4, "big") + tail
    alias = ecb_encrypt(compact.alias_key(KEY), plain)
    return compact.seal(compact.header(issuer, node, version, ttl, channel, at, serial) + alias, KEY).encode()


def compact_answer(reason, offset, raw, account):
    if not raw:
        return f" {STATUS[reason]} {offset}{8 * ' 0'}"
    return f" {STATUS[reason]} {offset} {' '.join(map(str, compact.read_header(raw)))} {account}"


def check_compact(texts, now, tolerance=60, version=1):
    batch = alone = ""
    refused = 0
    for text in texts:
        reason, offset, raw = compact.parse(text)
        account = expiry = 0
        parsed = compact_answer(reason or "accepted", offset, raw, 0)
        if raw:
            reason, account, expiry = compact.check(raw, KEY, version, now, tolerance)
        refused += reason != "accepted"
        batch += f" {STATUS[reason]} {account} {expiry}"
        alone += f"{parsed}{compact_answer(reason, offset, raw, account)} {expiry}"
    asked = f"E {KEY.hex()} {version} {now} {tolerance} {len(texts)} {' '.join(map(hexed, texts))}"
    return asked, f"{refused}{batch}{alone}"


def compact_texts():
    right = compact_text()
    yield from (right, right + b"\r\n\t", right[:-1], right + b" ", b"", b"\t", b"e" + right[1:], right.lower())
    yield from (right[:at] + byte + right[at + 1 :] for at in range(77) for byte in (b"a", b":", b"\xff"))
    yield from (b"EHC3:" + right[5:], compact_text(version=2), compact_text(tail=b"\0\0\0\1"))
    raw = base45.decode(right[5:].decode())
    for at in range(48):
        changed = bytes([*raw[:at], raw[at] ^ 1 << at % 8, *raw[at + 1 :]])
        yield f"EHC2:{base45.encode(changed)}".encode()
    message = compact.header(*RIGHT[:2], 1, *RIGHT[2:6]) + compact.alias(5, T + 86400, KEY)
    yield compact.seal(message, KEY).encode()  # an alias of another day under a right mac
    yield from (
        compact_text((0, 15, 0, 31, compact.EPOCH, 2**48 - 1, 0)),
        compact_text((999999, 0, 7, 0, LAST, 0, 2**64 - 1)),
    )


def compact_times():
    for ttl, lifetime in enumerate(compact.LIFETIMES):
        text = compact_text((440100, 1, ttl, 0, T, 1, 5))
        for now in (
            T - 61,
            T - 60,
            T,
            *(() if lifetime is None else (T + lifetime + 60, T + lifetime + 61)),
            2**63 - 1,
        ):
            yield check_compact([text], now) if now < 2**62 else check_compact([text], now, 0)


def make_compact(rows, version=1):
    def text(row):
        issuer, node, ttl, channel, at, serial, _ = row
        wrong = issuer > 999_999 or node > 15 or ttl > 7 or channel > 31 or serial >> 48
        return None if wrong or not compact.EPOCH <= at <= LAST else compact_text(row, version).hex().upper()

    texts = [text(row) for row in rows]
    made = "".join(f" 0 {text}" if text else f" 49 {TEXT_OF_ZEROS}" for text in texts)
    asked = " ".join(" ".join(map(str, (*row[:6], row[6] - 2**64 if row[6] >> 63 else row[6]))) for row in rows)
    return f"F {KEY.hex()} {version} {len(rows)} {asked}", f"{texts.count(None)}{made}{made}"


def compact_rows():
    for place, values in enumerate(
        (
            (0, 999_999, 1_000_000),
            (0, 15, 16),
            (0, 7, 8),
            (0, 31, 32),
            (compact.EPOCH - 1, compact.EPOCH, LAST, LAST + 1),
        )
    ):
        yield from ((*RIGHT[:place], value, *RIGHT[place + 1 :]) for value in values)
    yield from ((*RIGHT[:5], serial, RIGHT[6]) for serial in (0, 2**48 - 1, 2**48, 2**47 + 5))
    yield from ((*RIGHT[:6], account) for account in (0, 2**64 - 1))


def base45_texts():
    yield from (
        "",
        "A",
        "BB8",
        "%69 VD92EX0",
        "UJCLQE7W581",
        "QED8WEX0",
        "FGW",
        "GGW",
        "U5",
        "V5",
        "::",
        ":::",
        "0a",
        "a00",
    )
    right = base45.encode(bytes(range(70, 119)))
    yield from (right[:length] for length in range(len(right)))
    yield from (
        right[:at] + character + right[at + 1 :] for at in range(len(right)) for character in ":a\xff[@;,!#&\x1f"
    )


def decode(text):
    data, outside = base45.decode(text), [i for i, character in enumerate(text) if character not in base45.ALPHABET]
    whole = len(text) // 3 * 3
    over = [i for i in range(0, whole, 3) if not outside and base45.decode(text[i : i + 3]) is None]
    if data is not None:
        answer = f"0 {len(data)} 0 {data.hex().upper()}"
    elif len(text) % 3 == 1:
        answer = "32 0 0 "
    else:
        answer = f"33 0 {outside[0]} " if outside else f"35 0 {(*over, whole)[0]} "
    return f"D {hexed(text.encode('latin-1'))}", answer


def encode(data):
    text = base45.encode(data).encode()
    return f"N {hexed(data)}", f"{len(text)} {text.hex().upper()}"


def requests():
    """(request, answer) pairs."""
    yield from (make_bound(rows) for rows in pieces(list(bound_rows()), (0, 1, 20, 63, 64, 65, 130)))
    yield from (make_bound([row]) for row in bound_rows())
    yield from forged_bound()
    texts = list(compact_texts())
    yield from (check_compact([text], T + 1) for text in texts)
    yield from (check_compact(rows, T) for rows in pieces(texts, (0, 2, 63, 64, 65, 128, 200)))
    yield check_compact([compact_text(version=9)], T, version=9)
    yield from compact_times()
    yield from (make_compact([row]) for row in compact_rows())
    yield from (make_compact(rows, 7) for rows in pieces(list(compact_rows()), (0, 2, 63, 64, 65, 130)))
    yield from (decode(text) for text in base45_texts())
    yield from (encode(bytes(range(200, 200 + n))) for n in range(50))
