import pytest

from ehc.access.rate import Bucket, take
from ehc.errors import TooMany


def let_in(buckets: list[Bucket], times: list[float]) -> int:
    count = 0
    for now in times:
        try:
            take(buckets, now)
        except TooMany:
            continue
        count += 1
    return count


def test_a_burst_is_let_in_and_no_more() -> None:
    assert let_in([Bucket(10, 20)], [100.0] * 50) == 20


def test_over_time_exactly_the_rate_is_let_in() -> None:
    bucket = Bucket(10, 5)
    assert let_in([bucket], [i / 1000 for i in range(100_000)]) == 5 + 10 * 100 - 1


def test_a_rest_fills_the_bucket_to_the_burst_and_no_further() -> None:
    bucket = Bucket(10, 5)
    assert let_in([bucket], [0.0] * 9) == 5
    assert let_in([bucket], [1000.0] * 9) == 5


def test_a_burst_of_one_lets_one_in_at_a_time() -> None:
    assert let_in([Bucket(1, 1)], [0.0, 0.5, 0.999, 1.0, 1.5, 2.0]) == 3


def test_the_refusal_says_when_to_come_again_and_then_it_holds() -> None:
    bucket = Bucket(0.25, 1)
    take([bucket], 7.0)
    with pytest.raises(TooMany, match="in 4 s") as refused:
        take([bucket], 7.0)
    take([bucket], 7.0 + refused.value.retry_after)


def test_what_a_call_cost_more_is_paid_for_afterwards() -> None:
    bucket = Bucket(100, 10)
    take([bucket], 0.0)
    bucket.pay(0.0, 999)
    with pytest.raises(TooMany, match="in 10 s"):
        take([bucket], 0.0)
    assert let_in([bucket], [9.92]) == 1


def test_one_bucket_that_is_empty_takes_nothing_from_the_other() -> None:
    full, empty = Bucket(1, 3), Bucket(1, 1)
    assert let_in([empty], [0.0]) == 1
    assert let_in([full, empty], [0.0, 0.0]) == 0
    assert let_in([full], [0.0] * 9) == 3
