"""A short part of the soak; README.md of ehc/terminal has what the long one printed."""

from typer.testing import CliRunner

from ehc.cli.main import app
from ehc.terminal.soak import Sample, grown


def test_a_moment_of_a_day_at_a_window() -> None:
    done = CliRunner().invoke(app, ["reader", "soak", "--minutes", "0.05"], catch_exceptions=False)
    lines = done.output.splitlines()
    assert "days of frames" in done.output
    last = next(lines[i - 1] for i, line in enumerate(lines) if "days of frames" in line)
    frames, dropped, unchanged, read, nothing, verdicts = (int(cell.replace(",", "")) for cell in last.split()[1:7])
    assert frames > 100
    assert min(read, unchanged + nothing) > 0  # a real mixture: codes, and an empty desk
    assert 10 < unchanged + read + nothing <= frames - dropped
    assert verdicts > 5


def test_what_grows_is_named() -> None:
    flat = [Sample(i, i, i, i, i, i, i, 100.0 + i % 3, 20, 8) for i in range(50)]
    assert grown(flat) == []
    leaks = [one._replace(mib=100.0 + i, files=20 + i // 10) for i, one in enumerate(flat)]
    assert [line.split(":")[0] for line in grown(leaks)] == ["memory", "files"]
