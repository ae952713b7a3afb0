"""The C bench: every contender's answer is right, a wrong one is caught, what is not there is said to be missing."""

import shutil
from dataclasses import replace

import bounds
import compiled
import instructions
import pytest
import table

from ehc.crypto import tiers

TIERS = [name for name, supported in tiers() if supported]
needs_valgrind = pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind counts the instructions")


@pytest.fixture(scope="module")
def built(tmp_path_factory, ours):
    """Folder, driver, our kernels."""
    folder = tmp_path_factory.mktemp("compiled")
    return folder, compiled.build_driver(folder), ours


@pytest.fixture(scope="module")
def measured(built):
    return compiled.measure(laps=3, scale=16, ours=built[2])


def test_every_tier_does_every_job(measured):
    assert len(measured["jobs"]) == len(compiled.jobs(64))
    for job in measured["jobs"].values():
        ours = [name for name in job["contenders"] if compiled.is_ours(name)]
        assert ours[0] == f"ehc@{TIERS[0]}"
        assert set(ours) >= {f"ehc@{tier}" for tier in TIERS}
        assert job["contenders"][ours[0]]["slower"][ours[0]] == 1
        assert all(0 < one["p10"] <= one["median"] for one in job["contenders"].values())


def test_what_is_installed_is_measured_and_the_rest_is_missing_with_a_way_to_get_it(measured):
    names = [name.split()[0].lower() for name in measured["jobs"]["check N"]["contenders"] if " " in name]
    adapters = {library.name for library in compiled.LIBRARIES}
    assert set(names) | set(measured["missing"]) == adapters
    assert not set(names) & set(measured["missing"])
    assert all("apt install" in get or "--peer" in get for get in measured["missing"].values())


def test_the_tables_have_a_line_a_job_and_a_column_a_contender(measured):
    text = table.kernels({"kernels": measured})
    for name, job in measured["jobs"].items():
        beside_peers = any(not compiled.is_ours(contender) for contender in job["contenders"])
        assert text.count(f"\n| {name}, a {job['unit']} | ") == (3 if beside_peers else 2)
    contenders = {name for job in measured["jobs"].values() for name in job["contenders"]}
    assert all(f" {name.removeprefix('ehc@')} |" in text for name in contenders)
    assert all(get in text for get in measured["missing"].values())
    assert table.kernels({}) == ""


def test_a_wrong_answer_ends_the_run(built):
    folder, driver, ours = built
    job = compiled.jobs(64)[0]
    file = replace(job, answer=job.answer[:-1] + b"?").file(folder)
    with pytest.raises(compiled.Failed, match=r"ended with 3.*wrong answer in derive"):
        compiled.run(driver, "once", file, f"{ours}@{TIERS[0]}")


def test_a_checkout_is_taken_from_its_folder_and_a_folder_without_one_is_refused(built, tmp_path):
    folder, driver, _ = built
    gcrypt = compiled.LIBRARIES[0]
    if not compiled.build_peer(gcrypt, folder):
        pytest.skip("libgcrypt's headers are not installed")
    (tmp_path / "src").mkdir()
    for header in ("gcrypt.h", "gpg-error.h"):
        (found,) = list(compiled.Path("/usr/include").glob(header)) or list(compiled.Path("/usr/include").rglob(header))
        (tmp_path / "src" / header).symlink_to(found)
    (library,) = {path.resolve() for path in compiled.Path("/usr/lib").rglob("libgcrypt.so")}
    (tmp_path / "libgcrypt.so").symlink_to(library)
    adapter = compiled.build_peer(gcrypt, folder, tmp_path)
    file = compiled.jobs(64)[0].file(folder)
    assert compiled.run(driver, "once", file, adapter).strip() == "8"
    with pytest.raises(compiled.Failed, match=r"holds none of gcrypt\.h with libgcrypt, .*is it built"):
        compiled.measure(laps=1, scale=64, peers=[tmp_path / "src"])


def test_a_second_way_of_an_adapter_is_a_contender_of_its_own(built, tmp_path):
    """What -DWITH_LANES exports beside the adapter's first way, here with our own kernels under another name."""
    folder, driver, ours = built
    twice = tmp_path / "twice.c"
    first = '(const contender *)dlsym(dlmopen(LM_ID_BASE, "' + str(ours) + '", RTLD_NOW), "CONTENDER")'
    twice.write_text(
        '#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include "job.h"\n'
        f"static const contender *ours(void) {{ return {first}; }}\n"
        'static const char *open_it(void) { ours()->open(); return ours()->choose(NULL) == 0 ? "A 1" : NULL; }\n'
        'static const char *again(void) { return "A 1 + isa-l_crypto"; }\n'
        "static void derive(const job *w, uint8_t *a) { ours()->can[0].run(w, a); }\n"
        'EXPORT const contender CONTENDER = {open_it, NULL, NULL, {{"derive", derive}, {NULL, NULL}}};\n'
        'EXPORT const contender BATCHED = {again, NULL, NULL, {{"derive", derive}, {NULL, NULL}}};\n'
    )
    both = compiled.run("gcc", "-shared", "-fPIC", f"-I{compiled.C}", "-o", tmp_path / "twice.so", twice)
    assert both == ""
    job = compiled.jobs(64)[0].file(folder)
    lines = compiled.run(driver, "measure", "2", job, "--", f"{ours}@{TIERS[0]}", tmp_path / "twice.so").splitlines()
    assert [line.split("\t")[1] for line in lines[1:]] == [f"ehc@{TIERS[0]}", "A 1", "A 1 + isa-l_crypto"]


@needs_valgrind
@pytest.mark.slow
def test_no_kernel_needs_more_instructions_than_are_kept(built):
    kept = instructions.load().get(instructions.compiler())
    if kept is None:
        pytest.skip(f"no counts are kept for {instructions.compiler()}: python bench/instructions.py --accept")
    found = instructions.judge(instructions.count(ours=built[2]), kept)
    assert [str(change) for change in found if not change.holds] == [], "if meant: bench/instructions.py --accept"


@needs_valgrind
def test_instruction_counts_repeat_and_a_slower_kernel_fails_beside_them(built, tmp_path):
    only = ("derive, one block",)
    counts = instructions.count(only=only, ours=built[2])
    assert set(counts) <= {"avx2", "portable"}
    assert instructions.count(only=only, ours=built[2]) == counts
    assert all(change.holds for change in instructions.judge(counts, counts))
    slower = compiled.build_ours(tmp_path, flags=("-O1",))  # the same kernels, deliberately compiled to be slower
    slow = instructions.count(only=only, ours=slower)
    changes = list(instructions.judge(slow, counts))
    assert changes
    assert not any(change.holds for change in changes)


def test_a_count_out_of_one_per_cent_fails_either_way_and_so_does_one_that_is_gone():
    kept = {"avx2": {"a": 1000.0, "b": 1000.0, "c": 1000.0, "gone": 1.0}}
    now = {"avx2": {"a": 1009.0, "b": 1011.0, "c": 989.0, "new": 1.0}}
    holds = {change.job: change.holds for change in instructions.judge(now, kept)}
    assert holds == {"a": True, "b": False, "c": False, "new": False, "gone": False}


def test_counts_are_kept_by_compiler(tmp_path, capsys):
    file = tmp_path / "counts.json"
    assert instructions.report({"avx2": {"a": 10.0}}, file=file)  # nothing kept: nothing to judge by
    assert "none kept" in capsys.readouterr().out
    assert instructions.report({"avx2": {"a": 10.0}}, accept=True, file=file)
    assert instructions.compiler().split()[0] == "gcc"
    assert instructions.report({"avx2": {"a": 10.05}}, file=file)
    assert not instructions.report({"avx2": {"a": 12.0}}, file=file)
    assert list(instructions.load(file)) == [instructions.compiler()]


def test_the_bounds_are_those_that_the_readme_works_out():
    page = (compiled.ROOT / "bench" / "README.md").read_text("utf-8")
    counted = [bounds.bounds(lanes) for lanes in (bounds.AVX2, bounds.AVX512)]
    vaes, avx512 = ([one["derive, one block"], one["derive, two blocks"], one["SM4-ECB"]] for one in counted)
    assert f"{vaes[0]:.0f} cycles" in page
    assert f"{vaes[1]:.0f}. SM4-ECB" in page
    assert f"{vaes[2]:.2f} cycles a" in page
    assert f"{avx512[0]:.0f}, {avx512[1]:.0f} and {avx512[2]:.2f}." in page
    assert bounds.bound("ehc@vaes", "derive, one block") == vaes[0]
    assert bounds.bound("OpenSSL 3", "derive, one block") is None
