"""The gate, on laps of the real kernel and the real peers, whole and slowed down.

The laps count processor time of this process, and every slow-down is several times the margin: a busy machine does not
change the outcome.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import gate
import pytest
import results
from peers import openssl_well
from people import PROTECTION_KEY, SECURITY_KEY, VALIDITY_VECTOR, population

from ehc.crypto import Batch, check_batch, derive_batch, make_token, tiers

ROWS = population(4_000)
PACKED = Batch.pack(ROWS)
TIERS = [name for name, supported in tiers() if supported]
needs_lanes = pytest.mark.skipif("avx2" not in TIERS, reason="the floors are those of the tiers with lanes")

CONTENDERS = {
    gate.PACKED: (len(ROWS), lambda: derive_batch(PACKED, SECURITY_KEY)),
    gate.WELL: (400, lambda: openssl_well.derive(ROWS[:400], SECURITY_KEY)),
}


def measured(slow_down: int = 1, laps: int = 7) -> dict:
    """A result with the group "derive" measured now, its kernel run `slow_down` times for each answer."""
    times = []
    for lap in range(laps):
        for name, (items, run) in CONTENDERS.items():
            start = time.process_time_ns()
            for _ in range(slow_down if name == gate.PACKED else 1):
                run()
            seconds = max(time.process_time_ns() - start, 1) / 1e9
            times.append(results.Lap("derive", "persons", name, items, lap, seconds))
    return {"tiers": ["avx2", "portable"], "groups": results.groups(times)}


def judged(result: dict, kept: dict | None = None) -> dict[str, bool]:
    """Peer -> whether our packed batch holds its rule against it."""
    findings = gate.judge(result, kept)
    return {
        one.rule.theirs: one.holds for one in findings if one.rule.ours == gate.PACKED and one.rule.theirs in CONTENDERS
    }


@needs_lanes
def test_the_kernel_holds_the_floors():
    assert judged(measured()) == {gate.WELL: True}


@needs_lanes
def test_a_kernel_far_too_slow_falls_under_the_floors():
    assert judged(measured(slow_down=200)) == {gate.WELL: False}


@needs_lanes
def test_a_kernel_that_lost_much_of_its_speed_fails_beside_the_kept_result():
    kept = measured()
    assert judged(measured(), kept) == {gate.WELL: True}
    slow = measured(slow_down=4)
    assert judged(slow, kept) == {gate.WELL: False}
    assert judged(slow) == {gate.WELL: True}  # the floors alone would not have seen it


ALL = ["avx512", "vaes", "avx2", "portable"]


def result_of(rates: dict[tuple[str, str], int], tiers: list[str]) -> dict:
    """A result with one lap a contender, that many items in a second."""
    laps = [results.Lap(group, "items", name, rate, 0, 1.0) for (group, name), rate in rates.items()]
    return {"tiers": tiers, "groups": results.groups(laps)}


def at_floor(times: float = 1.0) -> dict[tuple[str, str], int]:
    """Rates that meet every rule exactly, ours multiplied."""
    rates = {}
    for rule in gate.RULES:
        rates.setdefault((rule.group, rule.theirs), 1_000_000)
        ours = rates.get((rule.group, rule.ours), 0)
        rates[rule.group, rule.ours] = max(ours, round(rule.floor * times * rates[rule.group, rule.theirs]))
    return rates


@pytest.mark.parametrize("rule", gate.RULES, ids=str)
def test_each_rule_fails_just_under_its_floor_and_no_other_but_beside_the_same_peer(rule):
    rates = at_floor()
    rates[rule.group, rule.theirs] = int(rates[rule.group, rule.ours] / rule.floor * 1.01)
    failed = [one.rule for one in gate.judge(result_of(rates, ALL)) if not one.holds]
    assert rule in failed
    assert {one.theirs for one in failed} == {rule.theirs}
    assert all(one.holds for one in gate.judge(result_of(at_floor(), ALL)))


def test_a_contender_that_was_not_measured_fails_its_rules():
    rates = at_floor()
    del rates["derive", gate.GMSSL]
    failed = [one for one in gate.judge(result_of(rates, ALL)) if not one.holds]
    assert {one.ratio for one in failed} == {None}
    assert {one.rule.theirs for one in failed} == {gate.GMSSL}
    assert "not measured" in str(failed[0])


def test_rules_of_a_tier_are_not_asked_of_a_processor_without_it():
    asked = gate.judge(result_of(at_floor(), ["portable"]))
    assert {one.rule.needs for one in asked} == {"portable"}


def test_ratios_are_taken_lap_by_lap():
    laps = [  # the machine halves its speed twice; ours is three times as fast in every lap
        results.Lap("g", "items", name, times * speed, lap, 1.0)
        for lap, speed in enumerate((400, 200, 100))
        for name, times in (("ours", 3), ("theirs", 1))
    ]
    assert results.ratio({"groups": results.groups(laps)}, "g", "ours", "theirs") == 3


def test_the_command_exits_1_and_names_what_failed(tmp_path):
    rates = at_floor()
    rates["derive", gate.PACKED] //= 2
    file = tmp_path / "result.json"
    file.write_text(json.dumps(result_of(rates, ALL)))
    script = Path(gate.__file__)
    ran = subprocess.run([sys.executable, script, file], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "FAIL derive: ehc, packed batch / gmssl" in ran.stdout
    file.write_text(json.dumps(result_of(at_floor(), ALL)))
    assert subprocess.run([sys.executable, script, file], capture_output=True, check=False).returncode == 0


def test_the_tokens_of_the_bench_are_the_specifications():
    now, token = VALIDITY_VECTOR
    assert make_token(now, PROTECTION_KEY) == token
    assert all(check_batch([f"{'0' * 64}:0:{token}"], PROTECTION_KEY, now))


def kernels(**slower: float) -> dict:
    """A result with the C bench's part: how many times slower than each of our tiers each library is, at every job."""
    tiers_of_ours = [f"ehc@{tier}" for tier in ALL]
    contenders = {tier: {"slower": dict.fromkeys(tiers_of_ours, 1.0)} for tier in tiers_of_ours}
    contenders |= {name: {"slower": dict.fromkeys(tiers_of_ours, x)} for name, x in slower.items()}
    jobs = {rule.job: {"unit": "item", "contenders": contenders} for rule in gate.KERNEL_RULES}
    return {"tiers": ALL, "groups": {}, "kernels": {"jobs": jobs}}


def judged_kernels(result: dict) -> dict[tuple[str, str], bool]:
    findings = gate.judge(result)
    return {(f.rule.job, f.rule.needs): f.holds for f in findings if isinstance(f.rule, gate.KernelRule)}


def test_the_kernels_are_judged_beside_the_best_library_that_is_there():
    floor = max(rule.floor for rule in gate.KERNEL_RULES)
    assert all(judged_kernels(kernels(OpenSSL=floor + 0.1)).values())
    found = judged_kernels(
        kernels(OpenSSL=900.0, **{"libgcrypt 1.10.1": 7.0, "OpenSSL" + gate.compiled.LANES_MARK: 0.1})
    )
    assert found["derive, one block", "vaes"] is False
    assert found["derive, one block", "avx2"] is True
    assert found["SM3, long", "vaes"] is True


def test_every_vector_tier_has_its_rules_and_a_slower_one_fails_them():
    rules = {rule.needs for rule in gate.KERNEL_RULES}
    assert rules == {"avx512", "vaes", "avx2"}
    for tier in rules:
        result = kernels(OpenSSL=100.0)
        for job in result["kernels"]["jobs"].values():  # this tier alone has lost its speed
            job["contenders"] = {n: {"slower": dict(one["slower"])} for n, one in job["contenders"].items()}
            job["contenders"]["OpenSSL"]["slower"][f"ehc@{tier}"] = 0.1
        failed = {needs for (_, needs), holds in judged_kernels(result).items() if not holds}
        assert failed == {tier}


def test_a_library_that_is_not_there_is_not_asked():
    assert set(judged_kernels(kernels(OpenSSL=20.0))) == {(rule.job, rule.needs) for rule in gate.KERNEL_RULES}
    assert judged_kernels(kernels()) == {}
