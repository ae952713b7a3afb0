"""The order of attempts on real symbols: what is read, what is named, where it lies, and nothing in nothing."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import segno
import signed_lists
import zxingcpp
from PIL import Image

from ehc._frame import FramePipeline
from ehc.errors import InputError
from ehc.model import Flag
from ehc.reader import looking, pipeline
from ehc.reader.degrade import Conditions, code_image, photograph, shoot
from ehc.reader.grey import GreyReader
from ehc.reader.looking import Look, View
from ehc.reader.pipeline import EVERY, VARIANTS, Reader
from ehc.reader.sources import Frame

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
OTHER_CARD = "837C825FE117BE7F9031F42030F7AD7FAAFD2E334C4B28BCF1A9E31168FCEA6B"
STATIC, DYNAMIC = f"{CARD}:1", f"{CARD}:0:92FD69141DFE1553A42251E2B0196148"
URL = "https://example.org/menu"


def code(text, **options):
    return code_image(segno.make_qr(text, error="m").matrix, **options)


CODES = {text: code(text) for text in (STATIC, DYNAMIC)}


def paper(*placed, size=(900, 700)):
    """White paper with images at (x, y)."""
    width, height = size
    sheet = np.full((height, width), 255, np.uint8)
    for image, x, y in placed:
        sheet[y : y + image.shape[0], x : x + image.shape[1]] = image
    return sheet


def symbol(text, kind, scale=3):
    made = zxingcpp.create_barcode(text, kind).to_image(scale=scale, add_quiet_zones=True)
    return np.array(made, np.uint8)


def texts(frame, **options):
    return [reading.payload for reading in Reader(**options).read(frame)]


@pytest.mark.parametrize("seed", range(100))
def test_every_default_phone_photo_is_read(seed):
    text = (STATIC, DYNAMIC)[seed % 2]
    assert texts(photograph(CODES[text], seed=seed)) == [text]


@pytest.mark.parametrize(
    ("conditions", "at_least"),
    [
        ({"tilt": 45, "turn": 180}, 12),
        ({"blur": 0.4}, 12),
        ({"contrast": 0.12}, 12),
        ({"noise": 35}, 11),
        ({"motion": 1.2}, 10),
        ({"module": 2.0}, 11),
        ({"tilt": 55}, 9),
        ({"module": 3.5, "blur": 0.3, "noise": 12, "contrast": 0.35, "tilt": 35}, 10),
    ],
)
def test_hard_photos_are_read_more_often_than_by_the_decoder_alone(conditions, at_least):
    photos = [photograph(CODES[DYNAMIC], seed=700 + seed, **conditions) for seed in range(12)]
    ours = [texts(photo) for photo in photos]
    alone = [zxingcpp.read_barcode(photo, formats=zxingcpp.BarcodeFormat.QRCodeModel2) for photo in photos]
    assert all(read in ([], [DYNAMIC]) for read in ours), "a misread"
    assert sum(map(bool, ours)) >= max(at_least, sum(found is not None for found in alone))


@pytest.mark.parametrize(
    ("conditions", "at_least"),
    [
        ({"blur": 0.5}, 11),
        ({"blur": 0.55}, 10),
        ({"noise": 60}, 10),
        ({"motion": 1.5}, 9),
        ({"contrast": 0.06, "noise": 3}, 12),
        ({"module": 1.5}, 11),
        ({"module": 1.3}, 8),
        ({"tilt": 60, "turn": 180}, 11),
        ({"module": 3, "blur": 0.4, "noise": 12, "contrast": 0.35, "tilt": 35}, 6),
    ],
)
def test_photos_that_no_threshold_reads_are_read_from_their_grey_levels(conditions, at_least):
    photos = [photograph(CODES[DYNAMIC], seed=1700 + seed, **conditions) for seed in range(12)]
    ours = [Reader(tracking=False).read(photo) for photo in photos]
    assert all(reading.payload == DYNAMIC for read in ours for reading in read), "a misread"
    assert sum(map(bool, ours)) >= at_least


def test_a_reading_of_the_grey_core_says_so_and_what_error_correction_it_left():
    reader = Reader(tracking=False)
    [reading] = reader.read(photograph(CODES[DYNAMIC], seed=1700, blur=0.5))
    assert (reading.payload, reading.format, reading.version) == (DYNAMIC, "QR Code", 5)
    assert reading.stage.startswith("grey core: ")
    assert 0 < reading.unused <= 1
    assert reader.stopped == "read"


def test_a_reader_says_why_it_stopped():
    reader = Reader(tracking=False)
    reader.read(np.full((480, 640), 255, np.uint8))
    assert reader.stopped == "nothing"
    impatient = Reader(tracking=False, budget_ms=0)
    impatient.read(photograph(CODES[DYNAMIC], seed=5))
    assert impatient.stopped == "budget"


def test_a_reading_says_what_it_is_and_how_it_was_read():
    [reading] = Reader().read(photograph(CODES[DYNAMIC], seed=1))
    assert (reading.card.card_id, reading.card.flag) == (CARD, Flag.DYNAMIC)
    assert reading.found == "an electronic health card (电子健康卡)"
    assert (reading.format, reading.stage, reading.attempts) == ("QR Code", "1/2", 1)
    assert reading.milliseconds > 0


def test_the_repr_of_a_reading_shows_nothing_of_a_person():
    [reading] = Reader().read(CODES[DYNAMIC])
    assert CARD not in repr(reading)


@pytest.mark.parametrize("module", [2.0, 5.0, 12.0])
@pytest.mark.parametrize("seed", range(3))
def test_corners_are_pixels_of_the_frame_whatever_stage_read_them(module, seed):
    photo = shoot(CODES[STATIC], seed, Conditions(module=module, tilt=20, turn=180))
    [reading] = Reader().read(photo.pixels)
    np.testing.assert_allclose(reading.corners, photo.corners, atol=1.2 * module + 2)


RESCUED_BY = {
    "smooth": {"noise": 35},
    "half, sharpened": {"blur": 0.42},
    "smooth, threshold of 15": {"growth": 0.3},
    "doubled, smooth": {"growth": 0.3, "noise": 15},
}


@pytest.mark.parametrize("stage", RESCUED_BY)
def test_every_variant_reads_photos_that_the_pyramid_does_not(stage, monkeypatch):
    for ours in ("FINDINGS", "LAST_FINDINGS", "FURTHER_FINDINGS"):
        monkeypatch.setattr(pipeline, ours, ())
    monkeypatch.setattr(looking, "failed", lambda *_, **__: [])  # what it locates only, the grey core would read first
    monkeypatch.setattr(pipeline, "VARIANTS", [variant for variant in VARIANTS if variant.stage == stage])
    reader = Reader(tracking=False, thorough=True)  # nothing is located
    photos = (photograph(CODES[DYNAMIC], seed=900 + seed, **RESCUED_BY[stage]) for seed in range(12))
    assert any(reading.stage == stage for photo in photos for reading in reader.read(photo))


def test_what_is_not_trusted_is_located_only_and_read_by_the_grey_core():
    assert {variant.stage for variant in VARIANTS if variant.trusted} == set(RESCUED_BY)
    photo = photograph(CODES[DYNAMIC], seed=5)
    frames = FramePipeline()
    look = Look(math.inf, GreyReader(), frames.threshold, lambda: photo)
    assert look.at(View("dilated", frames.dilate(photo), trusted=False))
    assert [(reading.payload, reading.stage) for reading in look.readings()] == [(DYNAMIC, "grey core: dilated")]


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_an_even_frame_holds_nothing(level):
    assert Reader().read(np.full((480, 640), level, np.uint8)) == []


@pytest.mark.parametrize("seed", range(5))
def test_noise_holds_nothing(seed):
    assert Reader().read(np.random.default_rng(seed).integers(0, 256, (240, 320), np.uint8)) == []


def test_text_and_edges_around_no_code_hold_nothing():
    photo = photograph(np.pad(np.zeros((8, 8), np.uint8), 40, constant_values=255), seed=3)
    assert Reader().read(photo) == []


@pytest.mark.parametrize("shape", [(0, 0), (0, 9), (9, 0), (1, 1), (2, 3000), (1, 4000), (4000, 1), (20, 20)])
def test_a_frame_without_room_for_a_code_holds_nothing(shape):
    for level in (0, 255):
        assert Reader().read(np.full(shape, level, np.uint8)) == []


def test_the_health_card_is_taken_and_the_other_code_named():
    frame = paper((code(URL, scale=7), 20, 20), (code(DYNAMIC, scale=6), 420, 300))
    card, other = Reader().read(frame)
    assert card.payload == DYNAMIC
    assert (other.payload, other.found, other.card) == (URL, "a URL (网址)", None)


def test_a_small_health_card_beside_a_large_foreign_code_is_found():
    frame = paper((code(URL, scale=16), 0, 0), (code(STATIC, scale=2), 700, 550))
    assert texts(frame)[0] == STATIC
    assert set(texts(frame)) == {STATIC, URL}


def test_a_thorough_reader_sees_the_small_code_beside_the_card_too():
    frame = paper((code(STATIC, scale=14), 0, 0), (code(URL, scale=2), 1200, 600), size=(1300, 750))
    assert texts(frame) == [STATIC]
    assert texts(frame, thorough=True) == [STATIC, URL]


def test_of_both_codes_of_a_card_the_dynamic_one_comes_first():
    frame = paper((code(STATIC, scale=6), 0, 0), (code(DYNAMIC, scale=6), 420, 300))
    assert texts(frame) == [DYNAMIC, STATIC]


def test_health_cards_of_two_people_are_both_reported():
    frame = paper((code(STATIC, scale=6), 0, 0), (code(f"{OTHER_CARD}:1", scale=6), 420, 300))
    assert set(texts(frame)) == {STATIC, f"{OTHER_CARD}:1"}


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        ("DataMatrix", "some other code", "Data Matrix"),
        ("Aztec", "some other code", "Aztec"),
        ("PDF417", "some other code", "PDF417"),
        ("Code128", "SOME OTHER CODE", "Code 128"),
        ("EAN13", "5901234123457", "EAN-13"),
    ],
)
def test_a_code_of_another_symbology_is_named(kind, text, name):
    frame = paper((symbol(text, zxingcpp.BarcodeFormat[kind]), 100, 100))
    [reading] = Reader(tracking=False, thorough=True).read(frame)
    stage = "other symbologies" if kind in ("DataMatrix", "Aztec") else "bars, upright"
    assert (reading.payload, reading.stage, reading.card) == (text, stage, None)
    assert name in reading.format
    stream = Reader()
    seen = [[reading.payload for reading in stream.read(frame)] for _ in range(2 * EVERY)]
    assert seen[EVERY:] == [[text]] * EVERY, "named in a moment, and as long as it is shown"
    assert stream.read(np.full((700, 900), 90, np.uint8)) == []


def test_a_code_that_nothing_locates_is_read_in_the_end_where_a_stream_shows_it_again(monkeypatch):
    monkeypatch.setattr(pipeline, "FINDINGS", ()), monkeypatch.setattr(pipeline, "LAST_FINDINGS", ())
    monkeypatch.setattr(looking, "failed", lambda *_, **__: [])
    photo = photograph(CODES[DYNAMIC], seed=1700, blur=0.5)
    assert Reader(tracking=False).read(photo) == []
    stream = Reader()
    seen = [[reading.payload for reading in stream.read(photo)] for _ in range(12 * EVERY)]
    assert seen[0] == []
    assert seen[-1] == [DYNAMIC]


PDF417 = symbol(STATIC, zxingcpp.BarcodeFormat.PDF417, scale=2)


@pytest.mark.parametrize("turn", range(0, 360, 24))
def test_a_health_card_in_pdf417_is_read_at_any_turn(turn):
    sheet = Image.fromarray(paper((PDF417, 292, 300))).rotate(turn, Image.Resampling.BICUBIC, fillcolor=255)
    [reading] = Reader(tracking=False).read(np.asarray(sheet))
    assert reading.payload == STATIC
    assert all(abs(math.dist(corner, (449.5, 349.5)) - 159.6) < 3 for corner in reading.corners), "pixels of the frame"


def test_a_tilted_pdf417_is_read_alone_and_within_a_few_frames_of_a_stream():
    photos = [shoot(PDF417, seed, Conditions(module=3, tilt=25, turn=180)) for seed in range(4)]
    for pixels, corners in photos:
        [reading] = Reader(tracking=False).read(pixels)
        assert reading.payload == STATIC
        assert max(min(math.dist(corner, seen) for seen in reading.corners) for corner in corners) < 25
    stream = Reader()
    seen = [stream.read(photos[0].pixels) for _ in range(EVERY + 1)]
    assert all(seen[-2:]), "and as long as it is shown"


def test_a_health_card_in_another_symbology_is_one():
    frame = paper((symbol(STATIC, zxingcpp.BarcodeFormat.DataMatrix), 100, 100))
    [reading] = Reader(thorough=True).read(frame)
    assert reading.card.card_id == CARD


COMPACT = "EHC2:5A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME"


@pytest.mark.parametrize("text", [COMPACT, signed_lists.code(1_767_225_600)], ids=["E2", "E3"])
def test_a_health_card_of_a_later_profile_is_one_and_ends_the_look(text):
    [reading] = Reader(tracking=False).read(paper((code(text, scale=4), 100, 100)))
    assert (reading.health_card, reading.card, reading.attempts) == (True, None, 1)
    assert reading.found == "an electronic health card (电子健康卡)"


def test_light_on_dark_is_read():
    assert texts(255 - paper((code(STATIC), 300, 200))) == [STATIC]


def test_a_mirrored_code_is_read():
    assert texts(photograph(CODES[STATIC], seed=1)[:, ::-1]) == [STATIC]


@pytest.mark.parametrize("pixel_format", ["GREY", "NV12", "YUYV", "RGB", "BGR", "RGBA"])
def test_every_pixel_format_of_a_camera_is_read(pixel_format):
    photo = photograph(CODES[DYNAMIC], seed=2)
    height, width = photo.shape
    packed = {
        "GREY": photo,
        "NV12": np.vstack([photo, np.full((height // 2, width), 128, np.uint8)]),
        "YUYV": np.dstack([photo, np.full_like(photo, 128)]),
        "RGBA": np.dstack([photo] * 3 + [np.full_like(photo, 255)]),
    }.get(pixel_format, np.dstack([photo] * 3))
    assert texts(Frame(packed.tobytes(), pixel_format, width, height)) == [DYNAMIC]


def test_strided_and_reversed_arrays_are_read_as_they_are():
    photo = photograph(CODES[DYNAMIC], seed=4)
    wide = np.repeat(photo, 2, axis=1)
    for view in (wide[:, ::2], photo[::-1], photo.T, np.asfortranarray(photo), np.dstack([photo] * 3)[..., ::-1]):
        assert texts(view) == [DYNAMIC]


def test_a_frame_that_is_too_short_for_its_size_is_refused_by_name():
    with pytest.raises(InputError, match="lobby camera: frame has 99 bytes"):
        Reader().read(Frame(bytes(99), "GREY", 10, 10, name="lobby camera"))


def test_frames_after_a_hit_are_read_from_its_region():
    reader, photo = Reader(), photograph(CODES[DYNAMIC], seed=5)
    assert [reader.read(photo)[0].stage for _ in range(3)] == [
        "1/2",
        "region of the last hit",
        "region of the last hit",
    ]


def test_a_code_that_moved_away_is_found_again_and_followed():
    reader = Reader()
    one, two = (paper((code(DYNAMIC, scale=5), x, 100), size=(1280, 720)) for x in (10, 900))
    assert reader.read(one)[0].payload == DYNAMIC
    assert reader.read(two)[0].stage != "region of the last hit"
    [reading] = reader.read(two)
    assert reading.stage == "region of the last hit"
    assert min(x for x, _ in reading.corners) > 900


def test_a_foreign_code_in_the_region_does_not_hide_a_card_elsewhere():
    reader = Reader()
    reader.read(paper((code(STATIC, scale=5), 10, 10), size=(1280, 720)))
    card, _ = reader.read(paper((code(URL, scale=5), 10, 10), (code(DYNAMIC, scale=5), 900, 400), size=(1280, 720)))
    assert card.payload == DYNAMIC


def test_another_card_where_the_last_one_was_does_not_hide_a_third():
    """Or whoever is called next would be whose card lies in the middle, whatever lies beside it."""
    reader, third = Reader(), f"{OTHER_CARD[::-1]}:1"
    assert [one.payload for one in reader.read(paper((code(STATIC, scale=4), 100, 100)))] == [STATIC]
    both = paper((code(f"{OTHER_CARD}:1", scale=4), 100, 100), (code(third, scale=4), 500, 400))
    assert {one.payload for one in reader.read(both)} == {f"{OTHER_CARD}:1", third}


def test_without_tracking_frames_stand_alone():
    reader, photo = Reader(tracking=False), photograph(CODES[DYNAMIC], seed=5)
    assert [reader.read(photo)[0].stage for _ in range(2)] == ["1/2", "1/2"]


def test_a_frame_like_one_that_held_nothing_is_not_looked_at_again():
    reader, empty = Reader(), np.full((720, 1280), 90, np.uint8)
    assert [(reader.read(empty + level), str(reader.stopped)) for level in (0, 1, 0)] == [
        ([], "nothing"),
        ([], "unchanged"),
        ([], "unchanged"),
    ]
    faint = photograph(CODES[STATIC], seed=3, contrast=0.06, noise=1, shade=0, size=(1280, 720))
    [reading] = reader.read(faint)
    assert (reading.payload, reader.stopped) == (STATIC, "read")


def test_a_light_that_changes_slowly_is_a_change_in_the_end():
    reader, stopped = Reader(), []
    for level in range(90, 96):
        reader.read(np.full((720, 1280), level, np.uint8))
        stopped.append(str(reader.stopped))
    assert stopped == ["nothing", "unchanged", "nothing", "unchanged", "nothing", "unchanged"]


def test_a_code_that_shows_again_is_read_again_and_never_remembered():
    reader, photo, empty = Reader(), photograph(CODES[STATIC], seed=3), np.full((720, 960), 90, np.uint8)
    read = [bool(reader.read(frame)) for frame in (empty, photo, empty, empty, photo)]
    assert read == [False, True, False, False, True]


def test_no_attempt_starts_after_the_budget():
    assert texts(photograph(CODES[DYNAMIC], seed=5), budget_ms=0) == []


def test_importing_the_reader_takes_no_driver_and_no_store():
    code_text = "import sys, json, ehc.reader.pipeline, ehc.reader.sources; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code_text], capture_output=True, text=True, check=True)
    assert not {"linuxpy", "sqlalchemy", "starlette", "httpx"} & set(json.loads(done.stdout))
