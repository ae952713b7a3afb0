"""The least cycles that a tier's vector operations can take on Zen 3 and Zen 4, counted from the lane bodies.

Four 256-bit operations a cycle, of which two may be shuffles or shifts; a 512-bit one takes two of those four places.
Loads, stores, scalar work and latency come on top: nothing reaches the bound. Change the counts with the lane bodies.
"""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """Operations on one vector of rows, and those among them that are shuffles or shifts."""

    operations: float
    shuffles: float


class Lanes(NamedTuple):
    """What a lanes_<isa>.h and the bodies make of each step."""

    rows: int  # a vector
    places: int  # that an operation takes, of four a cycle
    sm4_round: Step
    key_round: Step
    enter: Step  # a word of SM4's state into the AES field and the form that the rounds want, or back
    bulk: Step  # the same of ECB, from and to blocks in memory
    sm3_round: Step
    sm3_early: Step  # rounds 0 to 15
    sm3_word: Step  # of the message expansion
    words_in: Step  # 32 bytes of each row transposed into eight words
    more_in: int  # times that this is done beside twice a block
    words_out: Step
    staging: Step  # a row's message and id, of all rows
    token_round: Step  # of SM4, in the token kernels
    token_word: Step  # of a block in them, in from memory
    scan: Step  # the texts of a vector's rows
    bcd: Step  # their times


AVX2 = Lanes(
    rows=8,
    places=1,
    sm4_round=Step(17.75, 6),  # slices: xor 3 | aesenclast 1 | unshift 1 | nibbles 3 | P and R 6 | sums 3.75
    key_round=Step(23.25, 8.75),  # xor 3 | aesenclast 1 | unshift 1 | nibbles 3 | three maps 9, sum 2.25 | xor 4
    enter=Step(9, 6),  # slice 3 | into the field 6
    bulk=Step(11, 8),  # two transposes 4 | shuffle 1 | into the field 6
    sm3_round=Step(35, 11),  # rotations 3 each, 5 of them, and 1 by 8; majority 4, choose 3; sums and xors 12
    sm3_early=Step(32, 11),  # both functions are two xors
    sm3_word=Step(14.6, 6.4),  # 14 a word, and <<< 7 of ten of them
    words_in=Step(32, 32),
    more_in=-1,  # the last half holds the length alone (rows up to 32 or 96 bytes), and ids are the first one's
    words_out=Step(32, 32),
    staging=Step(116, 33),  # a word of the last half with bytes padded 6, of an id 4; four a row for printable ids
    token_round=Step(17.75, 6),  # as sm4_round
    token_word=Step(11, 8),  # as bulk, which the way out of has its own count
    scan=Step(8 * 25, 8 * 12),  # three times 32 characters: flags 5, and the token's digits 6; joined and tested 4
    bcd=Step(63, 23),  # a quarter of what 32 take: out of the field 42 | digits 56 | checks 56 | sums and products 98
)
AVX512 = Lanes(
    rows=16,
    places=2,
    sm4_round=Step(11, 4),  # words: three-input xors 3, xors 2 | GFNI 2 | rotations 4
    key_round=Step(8, 2),
    enter=Step(0, 0),
    bulk=Step(10, 10),
    sm3_round=Step(19, 6),  # every rotation one, every function one, P0 with a three-input xor
    sm3_early=Step(19, 6),
    sm3_word=Step(7, 4),
    words_in=Step(40, 40),
    more_in=1,  # the id
    words_out=Step(40, 40),
    staging=Step(24, 0),  # 48 of 256 bits
    token_round=Step(11, 4),
    token_word=Step(5, 5),
    scan=Step(8 * 25, 8 * 12),  # 16 rows of 25, of 256 bits
    bcd=Step(90, 30),
)
TIERS = {"vaes": AVX2, "avx512": AVX512}


def _cycles(lanes: Lanes, parts: list[tuple[int, Step]]) -> float:
    """For one row: the slower of all operations on four ports and of the shuffles on two."""
    operations = sum(times * step.operations for times, step in parts)
    shuffles = sum(times * step.shuffles for times, step in parts)
    return max(operations / 4, shuffles / 2) * lanes.places / lanes.rows


def compression(lanes: Lanes) -> list[tuple[int, Step]]:
    return [(48, lanes.sm3_round), (16, lanes.sm3_early), (52, lanes.sm3_word), (8, Step(1, 0))]


def derivation(lanes: Lanes, blocks: int, keys: int = 1) -> list[tuple[int, Step]]:
    """keys: security keys that the same rows are encrypted under."""
    return [
        (1, lanes.staging),
        (2 * blocks + lanes.more_in, lanes.words_in),
        *(blocks * compression(lanes)),
        (8, Step(1, 0)),  # the fold and its complement
        *(
            keys
            * [
                (4 + 8 + 8, lanes.enter),  # the factor, the id, the card id
                (3 * 32, lanes.sm4_round),  # under the root key, and two blocks of the id
                (4, Step(1, 0)),  # FK
                (32, lanes.key_round),
                (1, lanes.words_out),  # the card id
            ]
        ),
        (2 - keys, lanes.words_out),  # the mindex, which re-keying does not give
    ]


def checking(lanes: Lanes) -> list[tuple[int, Step]]:
    return [(1, lanes.scan), (32, lanes.token_round), (4, lanes.token_word), (1, lanes.bcd)]


def bounds(lanes: Lanes) -> dict[str, float]:
    """Job of bench/compiled.py -> cycles."""
    ecb = [(32, lanes.sm4_round), (8, lanes.bulk)]
    macs = [*(2 * compression(lanes)), (1, lanes.words_in), (1, lanes.words_out)]
    return {
        "derive, one block": _cycles(lanes, derivation(lanes, 1)),
        "derive, two blocks": _cycles(lanes, derivation(lanes, 2)),
        "re-key, one block": _cycles(lanes, derivation(lanes, 1, keys=2)),
        "check N": _cycles(lanes, checking(lanes)),
        "SM4-ECB": _cycles(lanes, ecb) / 16,
        "SM3, lanes": _cycles(lanes, macs) / 128,
    }


SM3_LATENCY = 6.0
"""Cycles a byte of one stream: 64 rounds of a chain of six operations (E: add, rotate by 7, add, P0 of three) for 64
bytes, whatever the tier."""


def bound(contender: str, job: str) -> float | None:
    """The bound of "ehc@tier" at a job; None where none was counted."""
    if job == "SM3, long" and contender.startswith("ehc@"):
        return SM3_LATENCY
    lanes = TIERS.get(contender.removeprefix("ehc@"))
    return None if lanes is None else bounds(lanes).get(job)


if __name__ == "__main__":
    for tier, counted in TIERS.items():
        for job, cycles in bounds(counted).items():
            print(f"{tier:8} {job:20} {cycles:7.2f} cycles")
