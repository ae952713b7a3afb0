"""`ehc bench`, short: what it says, beside whom, and its picture. Never judged by its figures."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from ehc.cli import bench, measure
from ehc.crypto import tier
from ehc.errors import FileError, InputError


def run(*arguments):
    command = [sys.executable, "-m", "ehc.cli", "bench", "--seconds=0.1", "--rows=1000", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def found():
    ran = run("--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)


def test_the_json_says_on_what_with_what_and_how(found):
    assert found["core"]["chosen"] == tier()
    assert found["machine"]["model"]
    assert found["peers"]["cryptography"]
    assert "laps" in found["method"]


def test_every_peer_that_is_there_is_measured_beside_us(found):
    for job in ("card ids", "SM4-ECB", "SM3"):
        contenders = found["jobs"][job]["contenders"]
        assert set(found["peers"]) <= set(contenders)
        assert contenders["ehc"]["times"] == 1
        assert all(one["per_second"] > 0 for one in contenders.values())


def test_tiers_rows_threads_and_memory_are_in_it(found):
    assert set(found["tiers"]) == set(found["core"]["supported"])
    assert [size for size, _ in found["curves"]["rows"]] == [1, 10, 100, 1000]
    assert [threads for threads, _ in found["curves"]["threads"]] == list(range(1, found["machine"]["cores"] + 1))
    assert all(mebibytes > 1 for _, mebibytes in found["curves"]["memory"])


def test_the_terminal_shows_a_table_and_bars():
    ran = run()
    assert ran.returncode == 0, ran.stderr
    assert all(word in ran.stdout for word in ("card ids, persons", "cryptography", "by tier", "█", "method: "))


def test_the_picture_holds_four_figures(found, tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="the plot is drawn with matplotlib")
    bench.draw(found, tmp_path / "plot.png", pyplot)
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.size == (1430, 880)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 100
    with pytest.raises(FileError, match="cannot be written"):
        bench.draw(found, tmp_path / "none" / "plot.png", pyplot)


def test_without_matplotlib_a_plot_is_refused_before_anything_is_measured(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install 'ehc\[bench\]'"):
        bench.bench(seconds=1e9, plot=tmp_path / "plot.png")


def test_a_longer_bar_is_a_faster_one():
    bars = {"slow": 10.0, "middle": 1e3, "fast": 1e6}
    slow, middle, fast = (bench._length(value, bars) for value in bars.values())
    assert 1 <= slow < middle < fast == bench.BAR


def test_a_wrong_answer_ends_it():
    with pytest.raises(ArithmeticError, match="SM3: someone gives another answer"):
        measure._same("SM3", "someone", b"a", b"b")


def test_rows_are_repeated_up_to_any_size():
    rows = [("01", "11010020171225006X", "电子健康卡"), ("03", "E00000000", "TEST PERSON")]
    whole = measure.Batch.pack(rows)
    for size in (1, 2, 3, 7):
        batch = measure._batch(whole, size)
        wanted = measure.derive_batch((rows * 4)[:size], measure.KEY)
        assert (measure.derive_batch(batch, measure.KEY).card_id == wanted.card_id).all()
