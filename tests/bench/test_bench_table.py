"""The tables in the READMEs are what the kept results generate, and the results tell nobody's machine."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import results
import table

ROOT = Path(table.__file__).parents[1]


def result(date: str = "2026-01-02T03:04:05Z") -> dict:
    laps = [
        results.Lap("derive", "persons", name, items, lap, 1.0)
        for lap in range(3)
        for name, items in ((table.PACKED, 12_345_678 + lap), (table.WELL, 123_456), (table.GMSSL, 2_000))
    ]
    return {
        "date": date,
        "machine": {"model": "Some CPU", "family_model": "1-2", "architecture": "x86_64", "cores": 2},
        "tier": "avx2",
        "tiers": ["avx2", "portable"],
        "compiler": "GCC: (x) 12",
        "versions": {"ehc": "0", "python": "3.11.0"},
        "peers": ["gmssl 3", "OpenSSL 3, cryptography 44"],
        "method": results.METHOD,
        "groups": results.groups(laps),
    }


def test_the_readmes_hold_what_the_newest_result_gives():
    ran = subprocess.run(
        [sys.executable, ROOT / "bench" / "table.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_a_job_is_a_line_with_every_peer_and_how_many_times_faster_we_are():
    lines = table.summary(result()).splitlines()
    assert lines[2] == "| card ids, packed batch | 12,300,000 | 123,000 (×100) | – | 2,000 (×6,200) |"
    assert "Some CPU" in lines[-1]
    assert "2026-01-02" in lines[-1]


def test_an_edited_table_is_told_and_written_anew(tmp_path, monkeypatch):
    (tmp_path / "bench").mkdir()
    for page in (tmp_path / "README.md", tmp_path / "bench" / "README.md"):
        page.write_text("before\n<!-- bench:begin -->\n| 99 |\n<!-- bench:end -->\nafter\n")
    monkeypatch.setattr(table, "ROOT", tmp_path)
    assert len(table.outdated(result())) == 2
    table.write(result())
    assert table.outdated(result()) == {}
    text = (tmp_path / "README.md").read_text("utf-8")
    assert text == f"before\n<!-- bench:begin -->\n{table.summary(result())}\n<!-- bench:end -->\nafter\n"


def test_a_page_without_its_markers_is_refused():
    with pytest.raises(table.Unmarked, match=r"README\.md: no <!-- bench:begin -->"):
        table.filled("# page", "table", "README.md")


def test_the_newest_result_wins_and_a_machine_keeps_one(tmp_path):
    old, new = result("2025-01-01T00:00:00Z"), result("2026-01-01T00:00:00Z")
    new["machine"]["model"] = "Other CPU"
    assert results.keep(new, tmp_path) != results.keep(old, tmp_path)
    assert results.newest(tmp_path) == new
    results.keep(result("2027-01-01T00:00:00Z"), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert results.newest(tmp_path)["date"].startswith("2027")
    with pytest.raises(FileNotFoundError, match=r"bench/run\.py"):
        results.newest(tmp_path / "none")


def test_rates_keep_three_digits():
    assert [table.significant(value) for value in (1_234_567, 999.6, 4.5678, 0.01234)] == [
        "1,230,000", "1,000", "4.57", "0.0123",
    ]  # fmt: skip


@pytest.mark.parametrize("file", sorted(results.FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_a_kept_result_says_how_it_came_about_and_nothing_of_host_or_user(file):
    text = file.read_text("utf-8")
    kept = json.loads(text)
    assert kept["method"]  # as it was when that result was made
    assert kept["machine"]["model"]
    assert kept["compiler"] != "unknown"
    assert file == results.path(kept)
    assert set(kept["machine"]) == {"model", "family_model", "architecture", "cores", "instructions"}
    assert not re.search(r"/(home|root|tmp|work|Users)\b", text)
