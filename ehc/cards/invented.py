"""Invented people for demos, benches and tests: the same for the same seed, nobody's real data.

Document numbers are well formed (GB 11643) but begin with 10, which is no province: no such number was ever given out.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from ehc.cards.identity import check_character

FAMILY_NAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN_NAMES = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国文博雨欣子涵浩然思佳"
MINORITY_NAMES = ("阿依古丽·麦麦提", "买买提江·吐尔逊", "古丽努尔·阿卜杜热合曼·依明江")  # the last fills two SM3 blocks


def people(count: int, seed: int = 1) -> Iterator[tuple[str, str, str]]:
    """`count` rows (id_type, id_number, name): 96 % resident ids with names of two or three characters, 2 % longer
    names, 2 % passports."""
    chance = random.Random(seed)  # noqa: S311  nothing here is a secret
    for i in range(count):
        kind = chance.random()
        if kind < 0.02:
            yield "03", f"E{i % 100_000_000:08d}", "TEST PERSON"
            continue
        name = chance.choice(FAMILY_NAMES) + "".join(chance.choices(GIVEN_NAMES, k=1 + (kind < 0.7)))
        yield "01", resident_id(i), chance.choice(MINORITY_NAMES) if kind > 0.98 else name


def resident_id(i: int) -> str:
    """The i-th number, another one for each i below 2·10^11: area 10...., born 1950 to 2017, days 1 to 28."""
    i, day = divmod(i, 28)
    i, month = divmod(i, 12)
    area, year = divmod(i, 68)
    digits = f"10{area // 1000:04d}{1950 + year}{month + 1:02d}{day + 1:02d}{area % 1000:03d}"
    return digits + check_character(digits)
