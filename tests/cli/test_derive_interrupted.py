"""`ehc derive` killed, stopped, out of room, and what goes on then: real processes, real files, a real keyring."""

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cards.invented import people
from derive_runs import (
    EACH_BLOCK,
    HEADER,
    SAMPLE,
    SAMPLE_CARD,
    SAMPLE_MINDEX,
    derive,
    home_with_keys,
    names,
    run,
    table,
    write,
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return home_with_keys(tmp_path_factory.mktemp("home"))


def many(path, count=3000):
    """People with a refused line now and then."""
    rows = list(people(count, seed=9))
    rows[::97] = [("01", "1", "测试")] * len(rows[::97])
    return write(path, rows)


@pytest.mark.parametrize(("output", "changes"), [("cards.csv", 25), ("cards.parquet", 8)])
def test_killed_at_any_change_of_a_file_the_same_command_finishes_alike(tmp_path, environment, output, changes):
    source = many(tmp_path / "people.csv", 60)
    script = Path(__file__).with_name("crash_points.py")
    command = [sys.executable, script, output, "derive", source, *EACH_BLOCK]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["points"] > changes


@pytest.mark.parametrize("seconds", ["0", "0.000001"])
def test_killed_again_and_again_from_outside_no_row_is_lost_or_doubled(tmp_path, environment, seconds):
    source, moments = many(tmp_path / "people.csv", 30_000), random.Random(4)
    journal = tmp_path / "cards.csv.progress"
    options = ("-o", tmp_path / "cards.csv", "--block", "16")
    command, kills = (environment, source, *options, "--checkpoint", seconds), 0
    for rows in sorted(moments.sample(range(500, 15_000), 4)):
        kills += killed(*command, when=lambda rows=rows: rows_done(journal) >= rows)
    assert kills >= 1
    done = derive(environment, source, *options)
    assert "by an earlier run" in done.stderr.decode()
    finished_like_an_undisturbed_run(tmp_path, environment, source, "cards.csv", done)


def test_a_killed_run_to_parquet_is_begun_anew_and_finishes_alike(tmp_path, environment):
    source, part = many(tmp_path / "people.csv", 30_000), tmp_path / "cards.parquet.part"
    options = ("-o", tmp_path / "cards.parquet", "--block", "16")
    assert killed(environment, source, *options, when=part.exists)
    assert part.exists()
    assert not (tmp_path / "cards.parquet").exists()
    done = derive(environment, source, *options)
    assert "by an earlier run" not in done.stderr.decode()
    finished_like_an_undisturbed_run(tmp_path, environment, source, "cards.parquet", done)


def killed(environment, *arguments, when):
    """Kill `ehc derive` when that holds; returns whether it came to be killed."""
    command = [sys.executable, "-m", "ehc.cli", "derive", *arguments]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not when():
            time.sleep(0.001)
        process.kill()
    return process.returncode == -signal.SIGKILL


def finished_like_an_undisturbed_run(folder, environment, source, output, done):
    assert "30,000 rows: 29,690 cards, 310 refused" in done.stderr.decode()
    derive(environment, source, "-o", folder / f"whole.{output}", "--block", "16")
    both = [output, f"{output}.rejects.csv"]
    assert all((folder / name).read_bytes() == (folder / f"whole.{name}").read_bytes() for name in both)
    assert names(folder) == sorted([source.name, *both, *(f"whole.{name}" for name in both)])


def rows_done(journal):
    try:
        return json.loads(journal.read_bytes())["progress"]["rows"]
    except FileNotFoundError:
        return 0


@pytest.fixture
def interrupted(tmp_path, environment):
    """A source and an output that was begun and killed."""
    source = many(tmp_path / "people.csv")
    journal = tmp_path / "cards.csv.progress"
    assert killed(environment, source, "-o", tmp_path / "cards.csv", *EACH_BLOCK, when=lambda: rows_done(journal))
    assert (tmp_path / "cards.csv.part").exists()
    assert not (tmp_path / "cards.csv").exists()
    return source, tmp_path / "cards.csv"


def test_stopped_from_the_keyboard_it_says_how_to_go_on(tmp_path, environment):
    source = many(tmp_path / "people.csv", 100_000)  # enough not to be done before it is told
    listening = ["env", "--default-signal=INT"]  # a shell's background jobs, this suite perhaps, ignore it
    command = [sys.executable, "-m", "ehc.cli", "derive", source, "-o", tmp_path / "cards.csv", *EACH_BLOCK]
    with subprocess.Popen([*listening, *command], env=environment, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not rows_done(tmp_path / "cards.csv.progress"):
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        shown = process.communicate()[1].decode()
    assert (process.returncode, shown) == (130, "stopped: the same command continues\n")
    done = derive(environment, source, "-o", tmp_path / "cards.csv")
    assert "by an earlier run" in done.stderr.decode()


def test_no_stop_is_lost_while_lines_are_read(environment):
    told = """
import io, os, signal, threading, time
import ehc.store.people_files, pyarrow.csv
lines, lost = b"a,b\\n" + b"1,2\\n" * 2000, 0
for wait in range(100):
    teller = threading.Timer(0.002 + wait % 37 * 0.0003, os.kill, (os.getpid(), signal.SIGINT))
    try:
        teller.start()
        while teller.is_alive():
            pyarrow.csv.read_csv(io.BytesIO(lines))
        time.sleep(0.001)
        lost += 1
    except KeyboardInterrupt:
        pass
    teller.join()
print(lost)
"""
    command = ["env", "--default-signal=INT", sys.executable, "-c", told]
    assert subprocess.check_output(command, env=environment) == b"0\n"


def test_what_changed_since_an_interrupted_run_is_named_and_restart_begins_anew(interrupted, environment):
    source, output = interrupted
    done = derive(environment, source, "-o", output, "--no-mindex", code=7)
    assert "differs in: --mindex; --restart throws" in done.stderr.decode()
    done = derive(environment | {"EHC_PADDING": "minimal"}, source, "-o", output, code=7)
    assert "differs in: setting padding" in done.stderr.decode()
    with source.open("a") as more:
        more.write(",".join(SAMPLE) + "\n")
    done = derive(environment, source, "-o", output, code=7)
    assert "differs in: input size, input time; --restart throws" in done.stderr.decode()
    derive(environment, source, "-o", output, "--restart")
    assert table(output)[-1] == {"line": "3002", "mindex": SAMPLE_MINDEX, "card_id": SAMPLE_CARD}


def test_another_key_does_not_continue_an_interrupted_run(interrupted, environment, tmp_path):
    source, output = interrupted
    run(["keys", "init", "--keyring", tmp_path / "other"], environment)
    done = derive(environment, source, "-o", output, "--keyring", tmp_path / "other", code=7)
    assert "differs in: security key;" in done.stderr.decode()


def test_a_part_that_was_tampered_with_is_not_continued(interrupted, environment):
    source, output = interrupted
    os.truncate(f"{output}.part", 10)
    done = derive(environment, source, "-o", output, code=3)
    assert "shorter than its journal says" in done.stderr.decode()


def test_two_processes_do_not_write_one_output(tmp_path, environment):
    source = write(tmp_path / "people.csv", [SAMPLE])
    with (tmp_path / "cards.csv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = derive(environment, source, "-o", tmp_path / "cards.csv", code=7)
    assert "another process is writing" in done.stderr.decode()
    derive(environment, source, "-o", tmp_path / "cards.csv")


def test_a_run_over_a_stream_begins_anew_and_its_output_still_appears_whole(tmp_path, environment):
    (tmp_path / "cards.csv.part").write_text("left by a killed run")
    stdin = (HEADER + ",".join(SAMPLE) + "\n").encode()
    derive(environment, "-", "-o", tmp_path / "cards.csv", stdin=stdin)
    assert [row["card_id"] for row in table(tmp_path / "cards.csv")] == [SAMPLE_CARD]
    assert names(tmp_path) == ["cards.csv"]


FULL_DISK = [("cards.csv", "the same command continues"), ("cards.parquet", "the same command begins the Parquet")]


@pytest.mark.parametrize(("output", "way_on"), FULL_DISK)
def test_a_full_disk_is_named_and_how_to_go_on(tmp_path, environment, output, way_on):
    source, output = write(tmp_path / "people.csv", people(3000)), tmp_path / output
    limited = f'ulimit -f 100; trap "" XFSZ; exec "{sys.executable}" -m ehc.cli derive "$1" -o "$2" --block 16'
    command = ["bash", "-c", limited, "bash", source, output]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 3
    assert way_on in done.stderr.decode()
    derive(environment, source, "-o", output)
    found = table(output) if output.suffix == ".csv" else pq.read_table(output).to_pylist()
    assert [int(row["line"]) for row in found] == list(range(2, 3002))
