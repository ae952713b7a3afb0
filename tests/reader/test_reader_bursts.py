"""Frames of one symbol in one hand: what they show together, where none of them shows it well enough."""

import pytest
import segno

from ehc.reader import looking, pipeline
from ehc.reader.degrade import code_image, mixture, shoot
from ehc.reader.pipeline import Reader
from ehc.reader.spec_sheet import CODES


def burst(kind, seed, count):
    clean, conditions = code_image(segno.make_qr(CODES[kind], error="m").matrix), mixture(seed, 3)
    return [shoot(clean, seed, conditions, frame=frame).pixels for frame in range(count)]


def alone(frame):
    return Reader(tracking=False).read(frame)


@pytest.mark.parametrize(("kind", "seed"), [("static", 1139010), ("dynamic", 8139007)])
def test_frames_of_which_none_is_read_alone_are_read_together(kind, seed):
    frames, stream = burst(kind, seed, 5), Reader()
    assert not any(alone(frame) for frame in frames)
    [reading] = next(filter(None, map(stream.read, frames)))
    assert reading.payload == CODES[kind]
    assert reading.stage.endswith("frames")


def test_a_symbol_is_looked_for_where_an_earlier_frame_showed_it(monkeypatch):
    first, second = burst("dynamic", 7139021, 2)
    stream = Reader()
    assert stream.read(first) == []
    monkeypatch.setattr(pipeline, "FINDINGS", ()), monkeypatch.setattr(pipeline, "LAST_FINDINGS", ())
    monkeypatch.setattr(looking, "failed", lambda *_, **__: [])
    assert alone(second) == []
    [reading] = stream.read(second)
    assert (reading.payload, reading.stage) == (CODES["dynamic"], "grey core: where it was")
