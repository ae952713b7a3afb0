"""What scanners, keyboards and input methods do to codes, seeded: strokes with their times, and what was truly scanned.

    PYTHONPATH=tests/reader python tests/reader/typed_breakages.py --codes 100000 --seed 1

A breakage of RECOVERABLE keeps what is needed to tell the code; of the LOSSY ones nothing may come out but, perhaps,
the code itself. Scans follow one another within seconds on one assembler, as at a window.

Not made, since the grammar cannot see it: digits missing of a prefix or an organisation, which have no length; and in
the codes EHC2 and EHC3 a shift that sticks on the way, for base45 has the characters that it makes: those are refused
at step 4.
"""

import argparse
import random
from collections import Counter
from dataclasses import dataclass, field

from ehc.crypto import base45_encode
from ehc.reader.layouts import FRENCH, GERMAN, UK, US, characters, keys_of
from ehc.reader.payloads import read_payload
from ehc.reader.typed import Assembler, Stroke

HEX = "0123456789ABCDEF"


@dataclass
class Scan:
    """feed: "page" (keys are known), "text" or "serial"."""

    payload: str
    feed: str
    breakages: list[str]
    strokes: list[Stroke] = field(default_factory=list)
    raw: list[tuple[float, bytes]] = field(default_factory=list)


def hex_digits(dice: random.Random, n: int) -> str:
    return "".join(dice.choices(HEX, k=n))


def payload(dice: random.Random) -> str:
    card, token = hex_digits(dice, 64), hex_digits(dice, 32)
    organisation = dice.choice(["510100SC01", "MA6XW7Q", "45067351-5", "12510100450718436F"])
    forms = {
        f"{card}:0:{token}": 45,
        f"{card}:1": 25,
        f"{card}:1::{organisation}": 5,
        f"{card}:0:{token}:{organisation}": 3,
        f"{dice.randint(1, 9999)}:{card}:1": 3,
        f"{dice.randint(1, 9999)}:{card}:0:{token}": 3,
        f"{card}:9": 3,
        card: 2,
        f"{card[:48]}:1": 2,
        f"{card[:32]}:0:{token}": 2,
        compact(dice): 4,
        signed(dice): 3,
    }
    return dice.choices(list(forms), weights=list(forms.values()))[0]


def compact(dice: random.Random) -> str:
    return "EHC2:" + base45_encode(b"\x21" + dice.randbytes(47))


def signed(dice: random.Random) -> str:
    return "EHC3:" + base45_encode(b"\x31" + dice.randbytes(95))


@dataclass
class Typist:
    """How the text becomes characters: the scanner's layout, the computer's, what is pressed and what is on."""

    dice: random.Random
    scanner: tuple = US
    host: tuple = US
    caps: bool = False
    stuck_from: int = 10_000
    unshifted: bool = False
    wide: str = ""  # characters that an input method widens
    swallows: bool = False
    drops: str = ""  # characters that vanish

    def typed(self, text: str) -> list[tuple[str, tuple[str, bool]]]:
        """(character, key) of each."""
        return [self._one(i, c, key) for i, (c, key) in enumerate(zip(text, keys_of(text, self.scanner), strict=True))]

    def _one(self, i: int, c: str, key: tuple[str, bool]) -> tuple[str, tuple[str, bool]]:
        code, shift = key
        seen = (shift or i >= self.stuck_from) and not self.unshifted
        shown = characters([(code, seen)], self.host)
        if self.caps and shown.isalpha():
            shown = shown.swapcase()
        if shown in self.wide:
            shown = chr(ord(shown) + 0xFEE0) if shown != " " else "\u3000"
        if c in self.drops:
            return "", ("", False)
        if self.swallows and shown.isascii() and shown.isalpha():
            shown = self.dice.choice(["", "", "健"])
        return shown, key


TYPING = {  # breakage -> what it changes of the typist
    "caps lock": {"caps": True},
    "AZERTY computer": {"host": FRENCH},
    "AZERTY scanner": {"scanner": FRENCH},
    "UK computer": {"host": UK},
    "UK scanner": {"scanner": UK},
    "QWERTZ computer": {"host": GERMAN},
    "colons dropped": {"drops": ":"},
    "full-width colons": {"wide": ":"},
    "full-width everything": {"wide": HEX + "abcdefGHIJKLMNOPQRSTUVWXYZ$%*+-./: "},
    "stuck shift": {"stuck_from": 0},
    "shift stuck on the way": {"stuck_from": 30},
    "shift lost": {"unshifted": True},
    "swallowed, keys known": {"swallows": True},
}
ENDING = {"no suffix": "", "LF": "\n", "Tab": "\t", "CR LF": "\r\n"}
TIMING = ("gaps of 60 ms", "cut off at 50 to 100 ms", "split", "twice", "twice without suffix", "begun, then whole")
CONTROL = {
    "controls kept": ("\x02", "\x03"),
    "identifier kept": ("]Q1", ""),
    "carets kept": ("^B", "^C"),
    "group separator": ("\x1d", "\x00"),
}
SERIAL_ONLY = ("even parity", "odd parity")
RECOVERABLE = ("intact", *TYPING, *ENDING, *TIMING, *CONTROL, *SERIAL_ONLY)
LOSSY = ("characters lost", "swallowed", "cut short", "foreign", "two people")
PAGE_ONLY = ("swallowed, keys known",)
KEYS_ONLY = tuple(TYPING)


def feed_of(dice: random.Random, breakage: str) -> str:
    if breakage in PAGE_ONLY:
        return "page"
    if breakage in SERIAL_ONLY:
        return "serial"
    return dice.choice(["page", "text"] if breakage in KEYS_ONLY else ["page", "text", "serial"])


def make(dice: random.Random, breakage: str, at: float, second: str = "") -> tuple[Scan, float]:
    """A scan that begins at a time, and when it is over."""
    scan = Scan(payload(dice), feed_of(dice, breakage), [one for one in (breakage, second) if one])
    if breakage == "shift stuck on the way":
        while scan.payload.startswith("EHC"):
            scan.payload = payload(dice)
    typist = Typist(dice)
    for one in scan.breakages:
        for name, value in TYPING.get(one, {}).items():
            setattr(typist, name, value)
    if "swallowed" in " ".join(scan.breakages):
        scan.payload = scan.payload if scan.payload.startswith("EHC") else scan.payload.lower()
    if typist.stuck_from:
        typist.stuck_from = dice.randrange(len(scan.payload)) if typist.stuck_from < 10_000 else 10_000
    suffix = next((ENDING[one] for one in scan.breakages if one in ENDING), "\r")
    return scan, _timed(dice, scan, _characters(scan, typist), suffix, at)


NO_KEY = ("", False)


def _characters(scan, typist):
    typed = typist.typed(scan.payload)
    for one in scan.breakages:
        before, after = CONTROL.get(one, ("", ""))
        typed = [*((c, NO_KEY) for c in before), *typed, *((c, NO_KEY) for c in after)]
    return typed


def _timed(dice, scan, typed, suffix, at):
    gap = dice.uniform(0.005, 0.06)
    pauses = {}
    if "gaps of 60 ms" in scan.breakages:
        gap = 0.06
    if "cut off at 50 to 100 ms" in scan.breakages:
        pauses = {i: dice.uniform(0.05, 0.1) for i in dice.sample(range(len(typed)), 3)}
    if "split" in scan.breakages:
        pauses = {dice.randrange(1, len(typed)): dice.uniform(0.15, 0.7)}
    copies = [typed]
    between = suffix
    if "twice" in scan.breakages:
        copies = [typed, typed]
    if "twice without suffix" in scan.breakages:
        copies, between = [typed, typed], ""
    if "begun, then whole" in scan.breakages:
        copies, between = [typed[: dice.randrange(5, len(typed))], typed], ""
    for n, copy in enumerate(copies):
        for i, (c, (code, shift)) in enumerate(copy):
            at += gap * dice.uniform(0.7, 1.0) + pauses.get(i, 0)
            if c or (code and scan.feed == "page"):
                _stroke(scan, c, at, code, shift)
        for c in suffix if n == len(copies) - 1 else between:
            at += gap
            _stroke(scan, c, at, {"\r": "Enter", "\t": "Tab"}.get(c, ""), False)
        at += dice.uniform(0.2, 0.5) if len(copies) > 1 else 0
    return at


def _stroke(scan, c, at, code, shift):
    if scan.feed == "serial":
        scan.raw.append((at, _with_parity(c.encode(), scan.breakages)))
    elif scan.feed == "page":
        scan.strokes.append(Stroke("" if code in ("Enter", "Tab") else c, at, code, shift))
    else:
        scan.strokes.append(Stroke(c, at))


def _with_parity(raw, breakages):
    for name, odd in (("even parity", 0), ("odd parity", 1)):
        if name in breakages:
            return bytes(byte | (0x80 if (byte.bit_count() + odd) % 2 else 0) for byte in raw)
    return raw


def lossy(dice: random.Random, breakage: str, at: float) -> tuple[Scan, float]:
    """One that nothing else may come out of."""
    scan = Scan(payload(dice), dice.choice(["text", "serial"]), [breakage])
    text = scan.payload
    if breakage == "characters lost":  # of the card id and what follows: a digit less of a prefix is another prefix
        first = text.partition(":")[0]
        begin = len(first) + 1 if first.isdecimal() and len(first) < 9 else 0
        for _ in range(dice.randint(1, 8)):
            i = dice.randrange(begin, begin + 24)
            text = text[:i] + text[i + 1 :]
    elif breakage == "swallowed":
        text = "".join(c if not c.isalpha() else dice.choice(["", "", "卡"]) for c in text)
    elif breakage == "foreign":
        text = foreign(dice)
    elif breakage in ("cut short", "two people"):  # before the end of what has a length; another person's scan follows
        card = read_payload(text).card
        text = text[: dice.randrange(1, len(text) - (len(card.organisation or "") + 2 if card else 0))]
    suffix = "" if breakage in ("cut short", "two people") else "\r"
    return scan, _timed(dice, scan, [(c, ("", False)) for c in text], suffix, at)


def foreign(dice: random.Random) -> str:
    digits = "".join(dice.choices("0123456789", k=60))
    return dice.choice(
        [
            "13" + digits[:16],
            "28" + digits[:16],
            "62" + digits[:17],
            digits[:28],
            digits[: dice.randint(4, 60)],
            "https://example.org/q?c=" + hex_digits(dice, 64),
            "11010020171225006X",
            "8" + digits[:19],
            "6901234567892",
            "".join(dice.choices("ABCDEFGHKLMNPQRSTUVWXYZ0123456789-", k=dice.randint(4, 40))),
            "电子健康卡" + hex_digits(dice, 20),
        ]
    )


@dataclass
class Tally:
    made: Counter = field(default_factory=Counter)
    right: Counter = field(default_factory=Counter)
    wrong: list[tuple[list[str], str, str]] = field(default_factory=list)
    lost: list[tuple[list[str], str]] = field(default_factory=list)


def run(codes: int, seed: int) -> Tally:
    """Of `codes` scans four fifths are recoverable, with one breakage or two; the others are lossy."""
    dice, tally, now = random.Random(seed), Tally(), 0.0
    assemblers = {feed: Assembler() for feed in ("page", "text", "serial")}
    for _ in range(codes):
        if dice.random() < 0.8:
            breakage = dice.choice(RECOVERABLE)
            second = dice.choice([*ENDING, *TIMING]) if dice.random() < 0.3 and breakage in (*TYPING, *CONTROL) else ""
            scan, now = make(dice, breakage, now, second)
        else:
            scan, now = lossy(dice, dice.choice(LOSSY), now)
        _count(tally, scan, _outcomes(assemblers[scan.feed], scan, now))
        now += dice.uniform(0.9, 5)
    return tally


def _outcomes(assembler: Assembler, scan: Scan, now: float) -> list[str]:
    out = []
    for at, raw in scan.raw:
        out += assembler.feed(raw, at)
    for stroke in scan.strokes:
        out += assembler.strokes([stroke])
    out += assembler.poll(now + 0.85)
    return [one.payload.upper() for one in out if one.payload]


def _count(tally: Tally, scan: Scan, payloads: list[str]) -> None:
    name, truth = scan.breakages[0], scan.payload.upper()
    wrong = [one for one in payloads if one != truth or name == "foreign"]
    tally.made[name] += 1
    tally.right[name] += truth in payloads and not wrong
    tally.wrong += [(scan.breakages, truth, one) for one in wrong]
    if name not in LOSSY and truth not in payloads:
        tally.lost.append((scan.breakages, truth))


def report(tally: Tally) -> str:
    rows = [f"{name:<26}{tally.right[name]:>8} of {tally.made[name]:>8}" for name in (*RECOVERABLE, *LOSSY)]
    made = sum(tally.made[name] for name in RECOVERABLE)
    right = sum(tally.right[name] for name in RECOVERABLE)
    rows.append(f"recovered {right} of {made}: {100 * right / made:.2f} %; wrong: {len(tally.wrong)}")
    rows += [f"wrong: {', '.join(breakages)}: {truth} became {given}" for breakages, truth, given in tally.wrong[:20]]
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--codes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(report(run(given.codes, given.seed)))
