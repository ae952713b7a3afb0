"""How every bench is measured: in laps. A lap times each contender of a group once, the next lap times them all again,
so that a slow minute of the machine hits ours and the peers' alike; the figure is the median of the laps.

pytest-benchmark takes the time; --laps sets their number (7); under --benchmark-disable there is one lap, untimed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import results
from contender import Contender
from peers import Row, openssl_well
from people import SECURITY_KEY, VECTORS, population

LAPS = 7
RECORDS = pytest.StashKey[list[results.Lap]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--laps", type=int, default=LAPS, help="how often every contender is measured, in turn")
    parser.addoption("--people", type=int, default=1_000_000, help="rows of the file for `ehc derive`")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RECORDS] = []
    if not config.option.benchmark_verbose:
        config.option.benchmark_quiet = True  # its table has a line a lap; ours below joins them
    if config.option.benchmark_disable:
        config.option.laps, config.option.people = 1, 2_000


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The laps go round outside, the contenders inside: this runs before the marks of the test itself."""
    if "lap" in metafunc.fixturenames:
        metafunc.parametrize("lap", range(metafunc.config.option.laps), ids=lambda lap: f"lap{lap}")


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """A result must not tell whose machine it was."""
    machine_info.pop("node", None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    groups = results.groups(config.stash[RECORDS])
    for name, group in groups.items():
        terminalreporter.section(f"{name}: {group['unit']}/s, median of the laps (lowest, highest)")
        for contender, laps in group["contenders"].items():
            low, middle, high = results.spread(laps["per_second"])
            terminalreporter.write_line(f"{contender:32} {middle:>16,.0f}   ({low:,.0f}, {high:,.0f})")


@pytest.fixture
def measure(benchmark: Any, lap: int, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """measure(group, unit, contender, items) times one contender on the first of the items and gives its answer."""

    def once(group: str, unit: str, contender: Contender, items: Any, rounds: int = 3) -> Any:
        share = min(contender.share, len(items))
        prepared = contender.prepare(items[:share])
        benchmark.group = group
        benchmark.extra_info.update(contender=contender.name, lap=lap, unit=unit, items=share)
        given = benchmark.pedantic(contender.run, (prepared,), rounds=rounds, warmup_rounds=1 if rounds > 1 else 0)
        if benchmark.enabled:
            seconds = benchmark.stats.stats.median
            record = results.Lap(group, unit, contender.name, share, lap, seconds)
            request.config.stash[RECORDS].append(record)
        return contender.answer(given)

    return once


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    return population(100_000)


@pytest.fixture(scope="session")
def card_ids(rows: list[Row]) -> list[str]:
    """The card ids of `rows`, by OpenSSL; the vectors of the specification are the first ones."""
    ids = openssl_well.derive(rows, SECURITY_KEY)
    assert ids[: len(VECTORS)] == list(VECTORS.values())
    return ids
