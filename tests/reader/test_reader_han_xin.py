"""Han Xin code before a camera: found at any turn, in a mirror and through what spoils a photo, read as what was drawn
or not at all, and looked for only where nothing else is left."""

import numpy as np
import pytest

from ehc.reader import pipeline
from ehc.reader.degrade import Conditions, code_image, photograph, shoot
from ehc.reader.hanxin import FORMAT
from ehc.reader.pipeline import EVERY, HAN_XIN, Reader
from ehc.reader.spec_sheet import BASE, CODES, hanxin_matrix

STATIC, DYNAMIC = CODES["static"], CODES["dynamic"]
IMAGES = {text: code_image(hanxin_matrix(text).tolist()) for text in (STATIC, DYNAMIC)}


def read(photo):
    return [reading.payload for reading in Reader(tracking=False).read(photo)]


@pytest.mark.parametrize("seed", range(10))
def test_every_default_phone_photo_is_read_and_located(seed):
    text = (STATIC, DYNAMIC)[seed % 2]
    photo = shoot(IMAGES[text], seed, Conditions(turn=180))
    [reading] = Reader(tracking=False).read(photo.pixels)
    assert (reading.payload, reading.format) == (text, FORMAT)
    assert reading.version == (len(hanxin_matrix(text)) - 21) // 2
    assert reading.stage.startswith("grey core: Han Xin")
    assert reading.health_card
    np.testing.assert_allclose(np.array(reading.corners), np.array(photo.corners) - 0.5, atol=2.5)


@pytest.mark.parametrize(
    ("conditions", "at_least"),
    [
        ({"module": 1.4}, 3),
        ({"contrast": 0.07}, 3),
        ({"blur": 0.7}, 3),
        ({"defocus": 1.5}, 3),
        ({"motion": 2.0}, 3),
        ({"noise": 60}, 3),
        ({"tilt": 60}, 3),
        ({"quiet": 0}, 3),
        ({"glare": 0.3}, 2),
        ({"hidden": 0.06}, 3),
        ({"dark": True}, 3),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_hard_photos_are_read_and_none_wrongly(conditions, at_least):
    photos = [photograph(IMAGES[DYNAMIC], seed=900 + seed, **{**BASE, **conditions}) for seed in range(4)]
    seen = [read(photo) for photo in photos]
    assert all(texts in ([], [DYNAMIC]) for texts in seen), "a misread"
    assert sum(map(bool, seen)) >= at_least


@pytest.mark.parametrize("seed", [40, 41, 42])
@pytest.mark.parametrize("corner", range(4))
def test_a_code_with_a_corner_torn_off_is_read(corner, seed):
    """Any three corners locate it."""
    modules = hanxin_matrix(DYNAMIC)
    rows, columns = (slice(0, 8) if near else slice(-8, None) for near in (corner < 2, corner in (0, 3)))
    modules[rows, columns] = 0
    assert read(photograph(code_image(modules.tolist()), seed=seed, turn=180, tilt=15)) == [DYNAMIC]


@pytest.mark.parametrize("seed", range(3))
def test_a_mirrored_code_is_read(seed):
    assert read(photograph(IMAGES[STATIC], seed=seed)[:, ::-1].copy()) == [STATIC]


@pytest.mark.parametrize("turn", range(4))
def test_an_upright_code_is_read_in_each_turn(turn):
    assert read(np.ascontiguousarray(np.rot90(code_image(hanxin_matrix(STATIC).tolist(), scale=5), turn))) == [STATIC]


@pytest.mark.parametrize("version", [1, 2, 12, 24])
def test_small_and_large_versions_are_found(version):
    image = code_image(hanxin_matrix("EHC 42", version=version).tolist())
    assert read(photograph(image, seed=version, turn=180)) == ["EHC 42"]


def test_a_stream_reads_it_within_a_moment_and_for_as_long_as_it_is_shown():
    stream = Reader()
    frames = [shoot(IMAGES[DYNAMIC], 3, Conditions(), frame=frame).pixels for frame in range(4 * EVERY)]
    seen = [[reading.payload for reading in stream.read(frame)] for frame in frames]
    first = seen.index([DYNAMIC])
    assert first < 3 * EVERY
    assert seen[first:] == [[DYNAMIC]] * (len(seen) - first)


def test_what_is_no_health_card_is_named():
    [reading] = Reader(tracking=False).read(
        photograph(code_image(hanxin_matrix("https://example.org/menu").tolist()), seed=1)
    )
    assert (reading.card, reading.format) == (None, FORMAT)
    assert "web address" in reading.found or "URL" in reading.found


def test_chinese_is_read():
    assert read(photograph(code_image(hanxin_matrix("\u7535\u5b50\u5065\u5eb7\u5361 42").tolist()), seed=1)) == [
        "\u7535\u5b50\u5065\u5eb7\u5361 42"
    ]


@pytest.mark.parametrize("seed", range(16))
def test_a_spoilt_symbol_is_read_rightly_or_not_at_all(seed):
    """Modules turned over, and the lower part of another symbol."""
    random = np.random.default_rng(seed)
    text, other = f"{seed:030d}", f"{seed + 1:030d}"
    modules = hanxin_matrix(text, version=5, level=1 + seed % 4, mask=seed // 4 % 4)
    if seed % 2:
        row = int(random.integers(9, 22))
        modules[row:] = hanxin_matrix(other, version=5, level=1 + seed % 4, mask=seed // 4 % 4)[row:]
    else:
        inside = np.ones(modules.shape, bool)
        inside[:9], inside[-9:] = False, False
        modules ^= inside & (random.random(modules.shape) < random.uniform(0.02, 0.4))
    assert set(read(photograph(code_image(modules.tolist()), seed=seed))) <= {text, other}


@pytest.mark.parametrize("tracking", [True, False])
def test_it_is_not_looked_for_where_a_qr_code_is_read_or_nothing_is_seen(monkeypatch, tracking):
    def looked_for(*_):
        raise AssertionError

    monkeypatch.setattr(pipeline, "HAN_XIN", tuple(finding._replace(search=looked_for) for finding in HAN_XIN))
    import segno

    reader = Reader(tracking=tracking)
    [reading] = reader.read(photograph(code_image(segno.make_qr(STATIC, error="m").matrix), seed=1))
    assert reading.payload == STATIC
    wall = np.random.default_rng(1).normal(128, 3, (720, 960)).astype(np.uint8)
    assert Reader(tracking=tracking).read(wall) == []
