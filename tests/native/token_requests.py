"""Requests for native/tests/replay.c and the answers that the reference gives: a small set, chosen so that each line of
the parser and of the token check matters to some answer."""

from reference import bound, validity
from reference.payload import Parsed, Refusal, parse
from reference.sm4 import ecb_encrypt
from vectors import load

KEY = bytes.fromhex(load("tokens_n")["protection_key"])
CARD = load("identifiers")["case"][0]["card_id"]
T = 1_767_225_600  # 2026-01-01T00:00:00Z
STATUS = {"length": 32, "character": 33, "foreign": 34, "grammar": 35}
STATUS |= {"accepted": 0, "no_token": 48, "forged": 49, "expired": 50, "early": 51, "key_version": 52}
KINDS = ["card", "nothing", "url", "wechat", "alipay", "unionpay", "insurance", "resident id", "other"]
RESIDENTS = [("659999", "19871109"), ("348571", "20060101"), ("123456", "17891231")]
YEAR_0, YEAR_9999 = -62_167_248_000, 253_402_271_999


def hexed(text):
    return text.hex() or "-"


def window_of(window, profiles=0, version=0):
    return f"{window.now} {window.tolerance} {window.validity or 0} {int(window.issue)} {profiles} {version}"


def spans(found):
    """prefix, card, token, organisation as offset+length; 0+0 where there is none."""
    begin = len(found.prefix) + 1 if found.prefix else 0
    behind = begin + len(found.card_id) + 3
    token = len(found.token or "")
    yield f"0+{begin - 1}" if found.prefix else "0+0"
    yield f"{begin}+{len(found.card_id)}"
    yield f"{behind}+{token}" if token or found.organisation else "0+0"
    yield f"{behind + token + 1}+{len(found.organisation)}" if found.organisation else "0+0"


def payload_answer(status, found):
    if isinstance(found, Refusal):
        return f"{STATUS[found.reason]} {KINDS.index(found.kind)} {found.offset}"
    flag = 255 if found.flag is None else found.flag
    return f"{status} 0 0 {flag} {' '.join(spans(found))} {found.card_id} {found.token or '00' * 16}"


def check(text, window, key=KEY):
    checked = validity.check_token(text, key, window)
    profile = int(checked.expiry is not None)
    answer = f"{payload_answer(STATUS[checked.reason], checked.parsed)} {checked.expiry or 0} {profile}"
    return f"C {key.hex()} {window_of(window)} {hexed(text)}", answer


def batch(texts, window):
    found = [validity.check_token(text, KEY, window) for text in texts]
    rows = "".join(f" {STATUS[checked.reason]} {checked.expiry or 0}" for checked in found)
    refused = sum(checked.reason != "accepted" for checked in found)
    return f"B {KEY.hex()} {window_of(window)} {len(texts)} {' '.join(map(hexed, texts))}", f"{refused}{rows}"


def bound_text(fields):
    return f"{CARD}:0:{bound.make_token(bytes.fromhex(CARD), fields, KEY)}".encode()


def bound_cases():
    """(text, now, profiles, version named, reason, expiry, profile) with tolerance 60 and validity 300."""
    token = bound_text(bound.Bound(T, 3, 1, 2, 7))
    for now in (T - 361, T - 360, T + 60, T + 61):
        reason = "early" if now == T - 361 else "expired" if now == T + 61 else "accepted"
        yield from ((token, now, profiles, version, reason, T, 2) for profiles in (2, 3) for version in (0, 3))
    yield from ((token, T, profiles, 4, "key_version", T, 2) for profiles in (2, 3))
    yield from ((token, T, profiles, 3, "forged", 0, 0) for profiles in (0, 1))
    yield token_text(T), T, 2, 3, "forged", 0, 0
    yield from ((token_text(T), T, profiles, 3, "accepted", T, 1) for profiles in (1, 3))
    yield f"{CARD[:32]}:0:{token[67:].decode()}".encode(), T, 3, 3, "forged", 0, 0
    yield b"85:" + token + b":ORG\n", T, 2, 3, "accepted", T, 2
    yield b"85:" + token_text(T), T, 1, 3, "accepted", T, 1
    yield token, T, 4, 3, "forged", 0, 0
    yield b"x://", T, 3, 3, "foreign", 0, 0


def bound_requests():
    for text, now, profiles, version, reason, expiry, profile in bound_cases():
        asked = f"{KEY.hex()} {window_of(validity.Window(now, 60, 300, False), profiles, version)}"
        fields = f" {T} 3 1 2 7" if profile == 2 else ""
        answer = f"{payload_answer(STATUS[reason], parse(text))} {expiry} {profile}{fields}"
        yield f"C {asked} {hexed(text)}", answer
        for n in (1, 64, 65, 130):
            rows = " ".join([hexed(text)] * n)
            found = f" {STATUS[reason]} {expiry}" * n
            yield f"B {asked} {n} {rows}", f"{n * (reason != 'accepted')}{found}"


def make(times):
    tokens = [validity.make_token(time, KEY) for time in times]
    batch = "".join(f" 0 {token}" if token else f" 49 {'0' * 32}" for token in tokens)
    alone = "".join(f" 0 {token}" if token else " 49 " for token in tokens)
    return f"M {KEY.hex()} {len(times)} {' '.join(map(str, times))}", f"{tokens.count(None)}{batch}{alone}"


def block_text(plain):
    return f"{CARD}:0:{ecb_encrypt(KEY, plain).hex()}".encode()


def token_text(time, key=KEY):
    return f"{CARD}:0:{validity.make_token(time, key)}".encode()


def payload_texts():
    vectors = load("payloads")
    yield from (case["text"] for name in ("payload", "foreign", "refused") for case in vectors[name])
    token = "92fd69141DFE1553A42251E2B0196148"
    full = f"85:{CARD}:0:{token}:ORG"
    yield from (full[:length] for length in range(len(full)))
    for at in range(len(full)):
        yield from (full[:at] + character + full[at + 1 :] for character in "0/9:;@AFGZ[`afgz{.-_ \r\né")
    for length in (*range(30, 35), 47, 48, 49, 63, 64, 65):
        yield from (
            (CARD + CARD)[:length] + tail for tail in ("", ":0", ":1", ":9", f":0:{token}", ":1:", ":1::O", ":9:")
        )
    yield from ("1" * digits + ":" + CARD + ":1" for digits in range(11))
    yield from (f"{head}:{'o' * n}" for n in (0, 1, 64, 65) for head in (f"{CARD}:1:", f"{CARD}:0:{token}"))
    yield from (f"{CARD}{':1' * n}" for n in range(9))
    yield from (f"85:{CARD}:1{':' * n}" for n in range(9))
    yield from (f"{CARD}:0:{token}" + tail for tail in ("\r", "\n", "\t", "\r\n\t\t", " ", ":\r", "\r:"))
    yield from (letter * n for n in (255, 256, 257, 70_000) for letter in "A1")
    yield from ("A" * 256 + "\r\n", "\t" * 300)
    yield from (f"{first:02}".ljust(digits, "0") for first in range(100) for digits in (16, 18, 19, 24, 28))
    yield from (first.ljust(digits, "0") for first in ("10", "28", "62", "33") for digits in range(14, 31))
    yield from ("28" + "0" * 13 + "A", "5" * 28, "5" * 27 + "A", "1", "12", "62X")
    for date in ("19900101", "19901231", "19900132", "19900100", "19901301", "19900001", "20991130"):
        yield from (f"110100{date}12{digit}{check}" for digit in "37" for check in "0123456789Xx")
    yield from (f"{area}{date}001{check}" for check in "0123456789X" for area, date in RESIDENTS)
    yield from ("3" * 13 + ":" + "3" * 14, "62" + "0" * 16 + ":", "1101:020171225006X")
    yield from ("1101A020171225006X", "11010020171225006X0", "http://", "a:/b", "x://", "://", ":/")


def blocks():
    right = bytearray(validity.plain_block(T))
    for at in range(16):
        for byte in (0x00, 0x01, 0x09, 0x0A, 0x10, 0x1F, 0x60, 0x80, 0x90, 0x99, 0x9A, 0xA0, 0xFF):
            yield bytes(right[:at]) + bytes([byte]) + bytes(right[at + 1 :])
    for year in (0, 1, 4, 100, 400, 1900, 2000, 2023, 2024, 2100, 9999):
        for month in range(14):
            for day in (0, 1, 28, 29, 30, 31, 32):
                yield bytes.fromhex(f"{year:04}{month:02}{day:02}235959") + bytes(9)
    for digits in ("000000", "235959", "240000", "236000", "235960"):
        yield bytes.fromhex("20260101" + digits) + bytes(9)


def windows():
    for tolerance in (0, 60):
        for validity_seconds, issue in ((None, False), (300, False), (300, True), (1, True)):
            for now in range(T - 361, T + 362, 1 if tolerance else 60):
                if abs(now - T) in (0, 1, 2, 59, 60, 61, 62, 240, 300, 301, 302, 359, 360, 361):
                    yield validity.Window(now, tolerance, validity_seconds, issue)


def times():
    """First and last second of months, the leap days of all kinds of centuries, full hours."""
    years = (0, 1, 3, 4, 99, 100, 200, 399, 400, 1969, 1970, 2000, 2023, 2024, 2100, 2300, 9998, 9999)
    months = [(year, month) for year in years for month in (1, 3)] + [(2025, month) for month in range(1, 13)]
    firsts = [validity.day_number(year, month, 1) * 86400 - 28800 for year, month in months]
    yield from (first + second for first in firsts for second in (-1, 0, 3600, 45_296, 82_800))
    yield from (YEAR_0 - 1, YEAR_0, YEAR_9999, YEAR_9999 + 1, -(2**63), 2**63 - 1)


def requests():
    """(request, answer) pairs."""
    for text in payload_texts():
        found = parse(text.encode())
        assert isinstance(found, Parsed | Refusal)
        yield f"P {hexed(text.encode())}", payload_answer(0, found)
    exact = validity.Window(T, 0, None, False)
    yield from (check(block_text(plain), exact) for plain in blocks())
    yield from (check(token_text(T), window) for window in windows())
    mixed = [token_text(T), f"{CARD}:1".encode(), b"", token_text(T - 1), token_text(T, bytes(16)), b"x://", b"G" * 32]
    yield from (check(text, exact) for text in mixed)
    yield from (batch([mixed[i * 3 % 7] for i in range(n)], exact) for n in (0, 1, 2, 7, 63, 64, 65, 128, 129, 200))
    yield from (make([time]) for time in times())
    yield from (make((list(times()) * 12)[:n]) for n in (0, 2, 511, 512, 513, 1024, 1100))
    yield make([T + 3 * i for i in range(600)])
    yield from bound_requests()
