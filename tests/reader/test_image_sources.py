"""Image files and arrays: every kind that clinics send, and everything that is none."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
import segno
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ehc.errors import FileError, InputError
from ehc.reader.degrade import code_image
from ehc.reader.pipeline import Reader
from ehc.reader.sources import MAX_PIXELS, Frame, read_image
from ehc.reader.streams import frames_of

TEXT = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
CODE = code_image(segno.make_qr(TEXT, error="m").matrix, scale=3)
GREY = Image.fromarray(CODE)


def read(source):
    return [reading.payload for reading in Reader(tracking=False).read(read_image(source))]


def saved(tmp_path, image, name, **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_any_mode_is_read(tmp_path, mode):
    image = Image.fromarray(CODE.astype(np.uint16) * 257) if mode == "I;16" else GREY.convert(mode)
    assert read(saved(tmp_path, image, "code.png")) == [TEXT]


@pytest.mark.parametrize("suffix", ["jpg", "webp", "bmp", "gif", "tif", "ppm"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_format_is_read(tmp_path, suffix, mode):
    assert read(saved(tmp_path, GREY.convert(mode), f"code.{suffix}")) == [TEXT]


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_an_image_in_printing_colours_is_read(tmp_path, suffix):
    assert read(saved(tmp_path, GREY.convert("RGB").convert("CMYK"), f"code.{suffix}")) == [TEXT]


def test_floats_of_any_range_are_spread_over_the_levels(tmp_path):
    levels = CODE.astype(np.float32) / 1e4 - 7
    assert read(saved(tmp_path, Image.fromarray(levels), "code.tif")) == [TEXT]


def test_thirty_two_bits_a_pixel_are_read(tmp_path):
    assert read(saved(tmp_path, Image.fromarray(CODE.astype(np.int32) * 8_000_000), "code.tif")) == [TEXT]


@pytest.mark.parametrize("extreme", [np.nan, np.inf, -np.inf])
def test_floats_that_are_not_finite_do_no_harm(tmp_path, extreme):
    levels = CODE.astype(np.float32) - 1000
    levels[0] = extreme
    assert read(saved(tmp_path, Image.fromarray(levels), "code.tif")) == [TEXT]


@pytest.mark.parametrize("levels", [[[-3e38, 3e38]], [[np.nan, np.nan]], [[5.0, 5.0]]])
def test_floats_without_a_usable_range_hold_nothing(tmp_path, levels):
    assert read(saved(tmp_path, Image.fromarray(np.array(levels, np.float32)), "odd.tif")) == []


def test_twelve_bits_in_sixteen_are_read(tmp_path):
    assert read(saved(tmp_path, Image.fromarray(CODE.astype(np.uint16) * 16), "code.png")) == [TEXT]


def test_transparent_paper_counts_as_white(tmp_path):
    black = np.zeros((*CODE.shape, 4), np.uint8)
    black[..., 3] = 255 - CODE  # what is light is transparent, and black underneath
    assert read(saved(tmp_path, Image.fromarray(black), "code.png")) == [TEXT]


def test_a_transparent_colour_of_a_palette_counts_as_white(tmp_path):
    palette = Image.fromarray((CODE > 0).astype(np.uint8))
    palette.putpalette([0, 0, 0, 0, 0, 0])
    assert read(saved(tmp_path, palette, "code.png", transparency=1)) == [TEXT]


def test_a_coloured_code_is_read(tmp_path):
    coloured = np.where(CODE[..., None] == 0, [20, 40, 130], [255, 240, 200]).astype(np.uint8)
    assert read(saved(tmp_path, Image.fromarray(coloured), "code.png")) == [TEXT]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_photo_is_turned_upright_as_its_exif_says(tmp_path, orientation, suffix):
    wide = np.full((96, 160), 200, np.uint8)
    wide[:24, :32] = 10  # upper left when upright; whole blocks of a JPEG
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    stored = Image.fromarray(wide) if undo is None else Image.fromarray(wide).transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, stored, f"photo.{suffix}", exif=exif)
    np.testing.assert_allclose(read_image(path).pixels.astype(int), wide, atol=12)


def test_a_sixteen_bit_picture_is_turned_upright_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path, Image.fromarray(np.arange(12, dtype=np.uint16).reshape(3, 4) * 256), "scan.png", exif=exif)
    assert read_image(path).pixels.shape == (4, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_a_tiny_picture_holds_nothing(tmp_path, size):
    assert read(saved(tmp_path, Image.new("L", size), "tiny.png")) == []


def test_an_image_in_memory_is_read():
    packed = io.BytesIO()
    GREY.save(packed, "png")
    assert read(packed) == [TEXT]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"nowhere\.png: No such file"):
        read_image(tmp_path / "nowhere.png")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(FileError, match="directory"):
        read_image(tmp_path)


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(FileError, match="not a regular file"):
        read_image(tmp_path / "pipe.png")


def test_a_name_with_a_nul_is_refused():
    with pytest.raises(FileError, match="null"):
        read_image("a\0b.png")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"hello\n", "not an image"),
        (b"\x89PNG\r\n\x1a\n", "damaged|not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    ],
)
def test_a_file_that_is_no_image_is_refused(tmp_path, content, message):
    (tmp_path / "photo.png").write_bytes(content)
    with pytest.raises(FileError, match=message) as caught:
        read_image(tmp_path / "photo.png")
    assert "photo.png" in str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "tif", "ppm"])
def test_a_file_that_was_cut_off_is_refused_wherever_it_was_cut(tmp_path, suffix):
    rng = np.random.default_rng(1)
    whole = saved(tmp_path, Image.fromarray(rng.integers(0, 256, (60, 60), np.uint8)), f"whole.{suffix}").read_bytes()
    for part in range(1, 10):
        (tmp_path / "cut").write_bytes(whole[: len(whole) * part // 10])
        with pytest.raises(FileError):
            read_image(tmp_path / "cut")


def bomb(width, height):
    """A PNG that says it is large; its pixels are missing, since nobody should look for them."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(MAX_PIXELS, 2), (10_000, 9_000), (13_000, 13_000), (2_000_000_000, 2_000_000_000)])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path, size):
    (tmp_path / "bomb.png").write_bytes(bomb(*size))
    with pytest.raises(FileError, match="pixels"):
        read_image(tmp_path / "bomb.png")


def test_a_picture_longer_than_a_frame_may_be_is_refused(tmp_path):
    path = saved(tmp_path, Image.new("L", (70_000, 1)), "line.png")
    with pytest.raises(FileError, match="70000 x 1 pixels, a side may have 65536"):
        read_image(path)
    with pytest.raises(InputError, match="70000"):
        Reader().read(Frame.of(np.zeros((1, 70_000), np.uint8)))
    with pytest.raises(FileError, match="at most 65536 pixels, not 70000"):
        list(frames_of(io.BytesIO(b"YUV4MPEG2 W70000 H1 F25:1 Cmono\nFRAME\n" + bytes(70_000)), "line"))


SAMPLES = {}
for kind in ("png", "jpeg", "webp", "gif", "bmp", "tiff"):
    packed = io.BytesIO()
    GREY.resize((40, 40)).save(packed, kind)
    SAMPLES[kind] = packed.getvalue()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(sorted(SAMPLES)), changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255))))
def test_a_damaged_file_is_a_picture_or_a_file_error(kind, changes):
    data = bytearray(SAMPLES[kind])
    for at, value in changes:
        data[at % len(data)] = value
    try:
        frame = read_image(io.BytesIO(bytes(data)))
    except FileError:
        return
    assert frame.pixels.dtype == np.uint8


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_array_becomes_a_frame_without_a_copy(channels):
    array = np.full((20, 30, channels), 255, np.uint8)
    array = array[..., 0] if channels == 1 else array
    frame = Frame.of(array)
    assert np.shares_memory(frame.pixels, array)
    assert frame.format == {1: "GREY", 3: "RGB", 4: "RGBA"}[channels]


def test_any_buffer_with_a_shape_becomes_a_frame_without_a_copy():
    data = bytearray(CODE.tobytes())
    frame = Frame.of(memoryview(data).cast("B", CODE.shape))
    assert np.shares_memory(frame.pixels, np.frombuffer(data, np.uint8))
    assert [reading.payload for reading in Reader().read(frame)] == [TEXT]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 5), np.uint16), "uint8, not uint16"),
        (np.zeros((5, 5), float), "uint8, not float64"),
        (np.zeros(5, np.uint8), "not 5"),
        (np.zeros((5, 5, 2), np.uint8), "5 x 5 x 2"),
        (np.zeros((1, 5, 5, 3), np.uint8), "1 x 5 x 5 x 3"),
        (bytes(100), "not 100"),
        ("text", "not an array"),
        (None, "not an array"),
        ([[1, 2], [3, 4]], "not an array"),
    ],
)
def test_what_is_no_frame_is_refused_with_its_shape(array, message):
    with pytest.raises(InputError, match=message):
        Frame.of(array, "frame")
