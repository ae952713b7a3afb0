"""`ehc reader bench`, short: what it measures, beside whom, on labelled pictures too. Never judged by times."""

import json
import subprocess
import sys

import numpy as np
import pytest
import segno
from PIL import Image

from ehc.reader.degrade import code_image
from ehc.reader.hanxin import FORMAT
from ehc.reader.pipeline import Reader
from ehc.reader.spec_sheet import IN_A_ROW, OURS, SHEET, Result, Tally, look, parts, readers, sheet


def run(*arguments):
    command = [sys.executable, "-m", "ehc.cli", "reader", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_step_of_a_degradation_is_measured_for_both_codes():
    ran = run("--images=1", "--only=quiet zone", "--no-peers", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    results = json.loads(ran.stdout)["results"]
    [steps] = [row.steps for row in SHEET if row.field == "quiet"]
    expected = [(str(step), code) for step in steps for code in ("static", "dynamic")]
    assert [(result["step"], result["code"]) for result in results] == expected
    assert [result["readers"]["ehc"]["read"] for result in results] == [1] * len(results)
    assert not any(result["readers"]["ehc"]["wrong"] for result in results)


def test_the_spec_sheet_says_the_hardest_step_that_is_read():
    ran = run("--images=1", "--only=light on dark", "--no-peers")
    assert ran.returncode == 0, ran.stderr
    assert "hardest step" in ran.stdout
    assert ran.stdout.count("True") == 3  # two codes, and the sheet


def test_bursts_are_parts_of_the_sheet_and_no_single_frames():
    tally = {OURS: Tally(2, 1), "peer": Tally(2, 0)}
    rows = [Result(name, "1", "static", tally) for name in ("tilt", "motion", f"motion{IN_A_ROW}", "realistic mix")]
    assert {name: len(part) for name, part in parts(rows).items()} == {
        "single frames": 3,
        f"motion{IN_A_ROW}": 1,
        "realistic mix": 1,
    }


def test_a_burst_is_read_by_one_reader():
    one = code_image(segno.make_qr("EHC").matrix)
    empty = np.full_like(one, 200)
    tallies = {}
    look([empty, empty, one], {"EHC"}, readers()[0], tallies)
    assert {name: tally.read for name, tally in tallies.items()} == dict.fromkeys(tallies, 1)


def test_a_degradation_that_is_none_is_an_error_that_names_them_all():
    ran = run("--only=rain")
    assert ran.returncode != 0
    assert "no degradation has 'rain' in its name; there are module, pixels" in ran.stderr


def test_a_folder_of_labelled_pictures_is_read_beside_the_peers(tmp_path):
    (tmp_path / "desk").mkdir()
    for name, text, label in (("right", "EHC\r\n1\r\n", "EHC\n1"), ("wrong", "EHC 2", "another text")):
        Image.fromarray(code_image(segno.make_qr(text).matrix)).save(tmp_path / f"desk/{name}.png")
        (tmp_path / f"desk/{name}.txt").write_text(f"{label}\n", "utf-8")
    Image.fromarray(np.full((99, 99, 3), 200, np.uint8)).save(tmp_path / "desk/unlabelled.jpg")
    ran = run("--photos", str(tmp_path), "--json")
    assert ran.returncode == 0, ran.stderr
    [result] = json.loads(ran.stdout)["results"]
    assert result["name"] == "desk"
    for peer in ("ehc", "zxing QR", "zxing default"):
        tally = result["readers"][peer]
        assert (tally["shown"], tally["read"], tally["wrong"]) == (3, 1, 1), peer


def test_a_folder_without_pictures_is_an_error_that_says_so(tmp_path):
    ran = run("--photos", str(tmp_path))
    assert ran.returncode != 0
    assert "no picture (.png, .jpg, .webp)" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_table_says_what_was_not_measured_and_how_often_it_misread(tmp_path):
    Image.fromarray(code_image(segno.make_qr("EHC").matrix)).save(tmp_path / "one.png")
    ran = run("--photos", str(tmp_path), "--no-peers")
    assert ran.returncode == 0, ran.stderr
    assert "ehc 100.0 % of 1, 0 misread" in ran.stdout


def test_each_photo_is_made_of_a_han_xin_code_too_where_that_is_asked_for():
    ran = run("--images=1", "--only=light on dark", "--han-xin", "--no-peers", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    results = json.loads(ran.stdout)["results"]
    names = ["light on dark", "light on dark, Han Xin"] * 2
    assert [(r["name"], r["code"]) for r in results] == list(zip(names, ["static"] * 2 + ["dynamic"] * 2, strict=True))
    assert sum(r["readers"]["ehc"]["read"] for r in results) >= 3
    assert not any(r["readers"]["ehc"]["wrong"] for r in results)


@pytest.mark.parametrize(("level", "versions"), [(None, {7, 8}), (2, {6, 8}), (4, {9, 13})])
def test_the_han_xin_code_corrects_what_the_qr_code_does_or_is_of_the_level_that_is_said(level, versions):
    """The static code is L3 beside Q, the dynamic one L2 beside M: by their sizes."""
    seen = set()

    def read(frames):
        found = Reader(tracking=False).read(frames[0])
        seen.update(reading.version for reading in found if reading.format == FORMAT)
        return {reading.payload for reading in found}

    list(sheet({OURS: read}, 1, 3, "quiet zone", han_xin=True, level=level))
    assert seen == versions


def test_the_level_of_the_han_xin_code_is_an_option():
    ran = run("--images=1", "--only=light on dark", "--han-xin", "--han-xin-level=4", "--no-peers", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert sum(r["readers"]["ehc"]["read"] for r in json.loads(ran.stdout)["results"]) >= 3
    assert run("--han-xin", "--han-xin-level=5").returncode == 2
