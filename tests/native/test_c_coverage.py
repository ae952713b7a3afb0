"""Every line and every branch of native/ runs in its own tests: see c_coverage.py."""

import re

import c_coverage
from kernels import needs, not_on_path


def report(counts):
    """The table, for the log, and what is missing."""
    print("", *c_coverage.table(counts), sep="\n")
    return c_coverage.missing(counts)


def test_every_line_and_every_branch_of_the_kernels_runs(tmp_path):
    counts, left_out = c_coverage.here(tmp_path)
    print("not on this processor:", *left_out)
    assert report(counts) == []
    assert sum(len(counted.lines) for counted in counts.values()) > 3000


def test_every_line_and_every_branch_of_the_aarch64_tiers_runs(tmp_path):
    needs(not_on_path("aarch64-linux-gnu-gcc", "qemu-aarch64-static"), "gcc-aarch64-linux-gnu qemu-user-static")
    counts = c_coverage.aarch64(tmp_path)
    assert report(counts) == []
    assert {tier for _, tier in counts} >= {"neon", "neon_tbl", "armv8"}


def test_every_line_and_every_branch_of_the_frame_pipeline_runs(tmp_path):
    counts = c_coverage.frame(tmp_path)
    assert report(counts) == []
    assert {file for file, _ in counts} >= {"frame/pixels.cpp", "frame/frame_pipeline.cpp"}


def test_a_branch_that_goes_one_way_only_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(c_coverage, "NATIVE", tmp_path)
    source = tmp_path / "one_sided.c"
    source.write_text(
        "int main(int argc, char **argv)\n{\n    if (argc > 5 && argv)\n        return 1;\n    return 0;\n}\n"
    )
    objects = c_coverage.compile_all(tmp_path, [source], "gcc", *c_coverage.COVERAGE)
    c_coverage.run("gcc", "--coverage", *objects, "-o", tmp_path / "one_sided")
    c_coverage.run(tmp_path / "one_sided")
    said = c_coverage.missing(c_coverage.gathered(tmp_path))
    assert len(said) == 2
    assert re.search(r"one_sided\.c:3: 1 of 4 branches", said[0])
    assert re.search(r"one_sided\.c:4: never run: return 1;", said[1])
