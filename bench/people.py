"""What the benches work on: the published vectors among invented people (ehc.cards.invented), and codes of theirs."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from ehc.cards.invented import people

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
