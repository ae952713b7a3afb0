"""The validity token (有效性信息) of profile N: the BCD time YYYYMMDDhhmmss in China Standard Time and nine zero bytes,
under SM4. Times are seconds since 1970-01-01T00:00:00Z."""

from datetime import date
from typing import NamedTuple

from reference.payload import Parsed, Refusal, parse
from reference.sm4 import ecb_decrypt, ecb_encrypt

CST = 8 * 3600
EPOCH = date(1970, 1, 1).toordinal()
CYCLE = 146097  # days of 400 years; datetime.date knows no year 0, so it is looked up as year 400


def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01. Raises ValueError when there is no such day."""
    ordinal = date(year or 400, month, day).toordinal() - (0 if year else CYCLE)
    return ordinal - EPOCH


def civil(day: int) -> tuple[int, int, int]:
    ordinal = day + EPOCH
    if ordinal >= 1:
        found = date.fromordinal(ordinal)
        return found.year, found.month, found.day
    found = date.fromordinal(ordinal + CYCLE)
    return found.year - 400, found.month, found.day


def plain_block(time: int) -> bytes | None:
    """The block before encryption; None when the year has not four digits."""
    days, second = divmod(time + CST, 86400)
    if not day_number(0, 1, 1) <= days <= day_number(9999, 12, 31):
        return None
    year, month, day = civil(days)
    digits = f"{year:04}{month:02}{day:02}{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"
    return bytes.fromhex(digits) + bytes(9)


def read_block(plain: bytes) -> int | None:
    """The time in a block; None when it is not digits, not a time, or not followed by zeros."""
    digits = plain[:7].hex()
    if plain[7:] != bytes(9) or not digits.isdecimal():
        return None
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:])
    if hour > 23 or minute > 59 or second > 59:
        return None
    try:
        return day_number(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - CST
    except ValueError:
        return None


def make_token(time: int, key: bytes) -> str | None:
    block = plain_block(time)
    return None if block is None else ecb_encrypt(key, block).hex().upper()


class Window(NamedTuple):
    now: int
    tolerance: int
    validity: int | None  # None: no bound ahead
    issue: bool  # the token carries the time of issue, not of expiry


class Checked(NamedTuple):
    reason: str
    parsed: Parsed | Refusal
    expiry: int | None  # None unless authentic


def check_token(text: bytes, key: bytes, window: Window) -> Checked:
    parsed = parse(text)  # steps 1 and 2
    if isinstance(parsed, Refusal):
        return Checked(parsed.reason, parsed, None)
    if parsed.token is None:
        return Checked("no_token", parsed, None)
    time = read_block(ecb_decrypt(key, bytes.fromhex(parsed.token)))  # step 4
    if time is None:
        return Checked("forged", parsed, None)
    expiry = time + (window.validity or 0) if window.issue else time  # step 5
    if window.now > expiry + window.tolerance:
        return Checked("expired", parsed, expiry)
    if window.validity is not None and expiry - window.validity > window.now + window.tolerance:
        return Checked("early", parsed, expiry)
    return Checked("accepted", parsed, expiry)
