"""Every tier of this processor gives the bytes of the portable one on random blocks and rows: the short part of the
campaign (the long one, 10^7 rows and more, is one command: see README.md)."""

from kernels import INCLUDES, NATIVE, OPTIONS, compile_kernels, run

from ehc.crypto import tiers

ROUNDS, SEED = 25, 20260101


def test_a_hundred_thousand_random_rows_come_out_the_same_on_every_tier(tmp_path):
    objects = compile_kernels(tmp_path / "o").values()
    run("gcc", *OPTIONS, *INCLUDES, *objects, NATIVE / "tests/campaign.c", "-o", tmp_path / "campaign")
    lines = run(tmp_path / "campaign", ROUNDS, SEED).splitlines()
    others = [name for name, supported in tiers() if supported and name != "portable"]
    assert lines == [f"tier {name}: {8192 * ROUNDS} blocks and {4096 * ROUNDS} rows as portable" for name in others]
