import mmap
import os
from itertools import count

import pytest

from ehc.access.rate import SHARED_BYTES, Rates, take
from ehc.crypto.claims import Bucket
from ehc.errors import TooMany

_numbers = count()


def bucket_of(rate: float, burst: float) -> Bucket:
    return Rates().bucket(f"caller {next(_numbers)}", rate, burst)


def let_in(buckets: list[Bucket], times: list[float]) -> int:
    count = 0
    for now in times:
        try:
            take(tuple(buckets), now)
        except TooMany:
            continue
        count += 1
    return count


def test_a_burst_is_let_in_and_no_more() -> None:
    assert let_in([bucket_of(10, 20)], [100.0] * 50) == 20


def test_over_time_exactly_the_rate_is_let_in() -> None:
    bucket = bucket_of(10, 5)
    assert let_in([bucket], [i / 1000 for i in range(100_000)]) == 5 + 10 * 100 - 1


def test_a_rest_fills_the_bucket_to_the_burst_and_no_further() -> None:
    bucket = bucket_of(10, 5)
    assert let_in([bucket], [0.0] * 9) == 5
    assert let_in([bucket], [1000.0] * 9) == 5


def test_a_burst_of_one_lets_one_in_at_a_time() -> None:
    assert let_in([bucket_of(1, 1)], [0.0, 0.5, 0.999, 1.0, 1.5, 2.0]) == 3


def test_the_refusal_says_when_to_come_again_and_then_it_holds() -> None:
    bucket = bucket_of(0.25, 1)
    take((bucket,), 7.0)
    with pytest.raises(TooMany, match="in 4 s") as refused:
        take((bucket,), 7.0)
    take((bucket,), 7.0 + refused.value.retry_after)


def test_what_a_call_cost_more_is_paid_for_afterwards() -> None:
    bucket = bucket_of(100, 10)
    take((bucket,), 0.0)
    bucket.pay(0.0, 999)
    with pytest.raises(TooMany, match="in 10 s"):
        take((bucket,), 0.0)
    assert let_in([bucket], [9.92]) == 1


def test_one_bucket_that_is_empty_takes_nothing_from_the_other() -> None:
    full, empty = bucket_of(1, 3), bucket_of(1, 1)
    assert let_in([empty], [0.0]) == 1
    assert let_in([full, empty], [0.0, 0.0]) == 0
    assert let_in([full], [0.0] * 9) == 3


def test_who_asks_for_the_same_name_shares_the_bucket_and_nobody_else_does() -> None:
    rates = Rates()
    one, same, other, faster = (rates.bucket(*row, 3) for row in (("a", 1), ("a", 1), ("b", 1), ("a", 2)))
    assert let_in([one], [0.0] * 2) == 2
    assert let_in([same], [0.0] * 9) == 1
    assert let_in([other], [0.0] * 9) == let_in([faster], [0.0] * 9) == 3


def test_processes_that_share_the_memory_let_in_the_rate_and_no_more() -> None:
    memory, counts = mmap.mmap(-1, SHARED_BYTES), mmap.mmap(-1, 4096)
    children = []
    for i in range(4):
        child = os.fork()
        if child == 0:
            counts[2 * i : 2 * i + 2] = let_in([Rates(memory).bucket("caller", 1000, 5000)], [7.0] * 3000).to_bytes(2)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert sum(int.from_bytes(counts[2 * i : 2 * i + 2]) for i in range(4)) == 5000
    assert let_in([Rates(memory).bucket("caller", 1000, 5000)], [8.0] * 2000) == 1000


def test_more_buckets_than_the_memory_holds_count_alone() -> None:
    rates = Rates(bytearray(1024))  # of 64
    buckets = [rates.bucket(f"{i}", 1, 2) for i in range(70)]
    assert [let_in([bucket], [0.0] * 9) for bucket in buckets] == [2] * 70
