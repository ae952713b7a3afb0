"""Invented people and codes for the benches: the same for the same seed, nobody's real data.

Document numbers are well formed (GB 11643, ISO 7064 MOD 11-2), but begin with 10, which is no province: no such number
was ever given to anybody.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from operator import mul
from pathlib import Path

Row = tuple[str, str, str]

SECURITY_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")  # the published sample keys
PROTECTION_KEY = bytes.fromhex("11223344556677888877665544332211")

VECTORS: dict[Row, str] = {
    ("01", "11010020171225006X", "电子健康卡"): "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928",
    ("01", "11010020171225006X", "测试177"): "61596F7265DC954499E5EC5E42A0B17BA886DC01485B408AF56D573197DD5F2F",
    ("01", "11010020171225006X", "测试18"): "CDA49A9702488273EBAABAE8B5156E198003DBD60D612987FCE6822BF33A406C",
    ("03", "E00000000", "TEST PERSON"): "837C825FE117BE7F9031F42030F7AD7FAAFD2E334C4B28BCF1A9E31168FCEA6B",
}
"""The specification's sample person and the vectors around it, with the card ids under SECURITY_KEY."""

VALIDITY_VECTOR = (1_516_161_003, "92FD69141DFE1553A42251E2B0196148")
"""2018-01-17 11:50:03 in China, and the validity token of that time under PROTECTION_KEY."""

FAMILY_NAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN_NAMES = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国文博雨欣子涵浩然思佳"
MINORITY_NAMES = ("阿依古丽·麦麦提", "买买提江·吐尔逊", "古丽努尔·阿卜杜热合曼·依明江")  # the last fills two SM3 blocks
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
ZERO = ord("0") * sum(WEIGHTS)


def people(count: int, seed: int = 1) -> Iterator[Row]:
    """`count` rows: 96 % resident ids with names of two or three characters, 2 % longer names, 2 % passports."""
    chance = random.Random(seed)
    for i in range(count):
        kind = chance.random()
        if kind < 0.02:
            yield "03", f"E{i % 100_000_000:08d}", "TEST PERSON"
            continue
        name = chance.choice(FAMILY_NAMES) + "".join(chance.choices(GIVEN_NAMES, k=1 + (kind < 0.7)))
        yield "01", resident_id(i), chance.choice(MINORITY_NAMES) if kind > 0.98 else name


def resident_id(i: int) -> str:
    """The i-th number, another one for each i: area 10...., born 1950 to 2017, days 1 to 28."""
    i, day = divmod(i, 28)
    i, month = divmod(i, 12)
    area, year = divmod(i, 68)
    body = f"10{area // 1000:04d}{1950 + year}{month + 1:02d}{day + 1:02d}{area % 1000:03d}"
    return body + CHECKS[(sum(map(mul, body.encode(), WEIGHTS)) - ZERO) % 11]


def population(count: int) -> list[Row]:
    """The vectors, then invented people: `count` rows."""
    return [*VECTORS, *people(count - len(VECTORS))]


def write_csv(path: Path, count: int, seed: int = 1) -> None:
    """A file of `count` invented people, as `ehc derive` reads it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id_type", "id_number", "name"))
        writer.writerows(people(count, seed))


def codes(count: int, tokens: list[str], expired: str, seed: int = 1) -> list[tuple[str, bool]]:
    """`count` QR texts and whether they are accepted at VALIDITY_VECTOR's time; the first one is the vector, one in ten
    is refused.

    tokens: validity tokens still good at that time. expired: one of a time long before.
    """
    chance = random.Random(seed)
    cards = list(VECTORS.values())
    made = [(f"{cards[0]}:0:{VALIDITY_VECTOR[1]}", True)]
    while len(made) < count:
        card, token = chance.choice(cards), chance.choice(tokens)
        good = f"{card}:0:{token}"
        bad = (
            good[:-1] + ("1" if good[-1] == "0" else "0"),  # forged
            f"{card}:0:{expired}",
            f"{card}:1",  # static: no token to check
            good + "0",  # not a token
            "https://example.org/a-page-that-somebody-scanned",
        )
        made.append((chance.choice(bad), False) if chance.random() < 0.1 else (good, True))
    return made
