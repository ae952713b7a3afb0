"""`ehc reader bench`, short: what it measures, beside whom, on labelled pictures too. Never judged by times."""

import json
import subprocess
import sys

import numpy as np
import segno
from PIL import Image

from ehc.reader.degrade import code_image
from ehc.reader.spec_sheet import SHEET


def run(*arguments):
    command = [sys.executable, "-m", "ehc.cli", "reader", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_step_of_every_degradation_is_measured_for_both_codes():
    ran = run("--images=1", "--no-peers", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    results = json.loads(ran.stdout)["results"]
    assert len(results) == 2 * sum(len(row.steps) for row in SHEET)
    assert {result["code"] for result in results} == {"static", "dynamic"}
    tallies = [result["readers"]["ehc"] for result in results]
    assert sum(tally["read"] for tally in tallies) >= 0.8 * len(tallies)
    assert not any(tally["wrong"] for tally in tallies)


def test_a_folder_of_labelled_pictures_is_read_beside_the_peers(tmp_path):
    (tmp_path / "desk").mkdir()
    for name, text, label in (("right", "EHC 1", "EHC 1"), ("wrong", "EHC 2", "another text")):
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
