"""FramePipeline against NumPy on every size that has an edge case, and what it refuses."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from frame_pixels import CHANNELS, SIZES, luma_of, pixels
from hypothesis import given
from hypothesis import strategies as st
from kernels import OPTIONS, compile_objects

from ehc._frame import FramePipeline

ROOT = Path(__file__).parents[2]
ROWS = sorted((ROOT / "native/frame").glob("rows*.cpp"))


@pytest.fixture
def pipeline():
    return FramePipeline()


def windows(grey, radius):
    """int[height, width, (2 * radius + 1)²]: the neighbourhood of every pixel, the border repeated."""
    side = 2 * radius + 1
    padded = np.pad(grey.astype(int), radius, "edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (side, side)).reshape(*grey.shape, -1)


def mean3(grey):
    return (windows(grey, 1).sum(-1) + 4) // 9


def twice_of(grey):
    """Linear between the middles of pixels: 3/4 near and 1/4 far, in both directions."""
    out = np.zeros((2 * grey.shape[0], 2 * grey.shape[1]), int)
    padded = np.pad(grey.astype(int), 1, "edge")
    for dy, dx in np.ndindex(2, 2):
        rows, columns = slice(2 * dy, 2 * dy + grey.shape[0]), slice(2 * dx, 2 * dx + grey.shape[1])
        middle = 3 * padded[1:-1, 1:-1] + padded[rows, 1:-1]
        beside = 3 * padded[1:-1, columns] + padded[rows, columns]
        out[dy::2, dx::2] = (3 * middle + beside + 8) // 16
    return out


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pixel_format", CHANNELS)
def test_luma_of_every_format_is_that_of_numpy(pipeline, pixel_format, size):
    array = pixels(*size, CHANNELS[pixel_format])
    np.testing.assert_array_equal(pipeline.luma(array, pixel_format), luma_of(array, pixel_format))


@pytest.mark.parametrize("pixel_format", CHANNELS)
def test_luma_takes_any_strides_without_a_copy(pipeline, pixel_format):
    array = pixels(30, 42, CHANNELS[pixel_format])
    views = [
        array[::-1],
        array[:, ::-1],
        array[::2, 1::3],
        array[5:20, 7:9],
        np.asfortranarray(array),
        np.broadcast_to(array[:1], array.shape),
    ]
    for view in views:
        np.testing.assert_array_equal(pipeline.luma(view, pixel_format), luma_of(view, pixel_format))
    flipped = array[..., ::-1]
    overlapping = np.lib.stride_tricks.as_strided(array, (30, 28, array.shape[2]), (array.strides[0], 3, 2))
    np.testing.assert_array_equal(pipeline.luma(overlapping, pixel_format), luma_of(overlapping, pixel_format))
    np.testing.assert_array_equal(pipeline.luma(flipped, pixel_format), luma_of(flipped, pixel_format))


@pytest.mark.parametrize("pixel_format", ["GREY", "NV12", *CHANNELS])
@pytest.mark.parametrize("gap", [0, 1, 13])
def test_flat_bytes_with_a_stride_are_the_same_frame(pipeline, pixel_format, gap):
    height, width, channels = 11, 17, CHANNELS.get(pixel_format, 1)
    rows = pixels(height, width * channels + gap)
    frame = rows[:, : width * channels].reshape(height, width, channels)
    expected = frame[..., 0] if channels == 1 else luma_of(frame, pixel_format)
    flat = rows.tobytes()[: rows.size - gap]  # the last row needs no gap behind it
    for data in (flat, bytearray(flat), memoryview(flat), np.frombuffer(flat, np.uint8)):
        got = pipeline.luma(data, pixel_format, 0, None, width, height, width * channels + gap)
        np.testing.assert_array_equal(got, expected)


def test_the_luma_of_grey_and_nv12_is_the_callers_memory(pipeline):
    array = pixels(12, 10)
    nv12 = bytearray(array.tobytes() + bytes(60))
    assert np.shares_memory(pipeline.luma(array[::2], "GREY"), array)
    assert np.shares_memory(pipeline.luma(nv12, "NV12", 0, None, 10, 12), np.frombuffer(nv12, np.uint8))


def test_a_result_keeps_the_callers_buffer_from_being_resized(pipeline):
    data = bytearray(100)
    grey = pipeline.luma(data, "GREY", 0, None, 10, 10)
    with pytest.raises(BufferError):
        data.extend(bytes(1_000_000))
    assert grey.sum() == 0


def test_a_single_flat_row_is_a_frame(pipeline):
    assert pipeline.luma(b"abc", "GREY", 0, None, 3, 1).tobytes() == b"abc"


@pytest.mark.parametrize("size", SIZES)
def test_half_is_the_rounded_mean_of_two_by_two(pipeline, size):
    grey = pixels(*size)
    even = grey[: size[0] // 2 * 2, : size[1] // 2 * 2].astype(int)
    expected = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2] + 2) // 4
    np.testing.assert_array_equal(pipeline.half(grey), expected)


@pytest.mark.parametrize("size", [size for size in SIZES if all(size)])
def test_filters_are_those_of_numpy(pipeline, size):
    grey = pixels(*size)
    np.testing.assert_array_equal(pipeline.dilate(grey), windows(grey, 1).max(-1))
    np.testing.assert_array_equal(pipeline.smooth(grey), mean3(grey))
    np.testing.assert_array_equal(pipeline.twice(grey), twice_of(grey))
    for amount in (1, 2, 8):
        sharp = np.clip(grey + amount * (grey - mean3(grey)), 0, 255)
        np.testing.assert_array_equal(pipeline.sharpen(grey, amount), sharp)


@pytest.mark.parametrize("size", [(0, 0), (0, 7), (7, 0)])
def test_filters_of_an_empty_frame_are_empty(pipeline, size):
    grey = np.zeros(size, np.uint8)
    for result in (pipeline.dilate(grey), pipeline.smooth(grey), pipeline.sharpen(grey), pipeline.binarise(grey)):
        assert result.shape == size
    assert pipeline.twice(grey).shape == (2 * size[0], 2 * size[1])


@pytest.mark.parametrize("name", ["half", "twice", "dilate", "smooth", "sharpen", "binarise"])
def test_filters_take_any_strides(pipeline, name):
    grey, step = pixels(40, 60), getattr(pipeline, name)
    for view in (grey[::-1, ::-1], grey[:, ::3], grey[3:9, 5:6], np.asfortranarray(grey), grey.T):
        np.testing.assert_array_equal(step(view), step(np.ascontiguousarray(view)))


def test_a_white_frame_of_the_largest_sums_does_not_overflow(pipeline):
    white = np.full((300, 65536), 255, np.uint8)
    assert not pipeline.binarise(white, 255, 0).any()  # nothing is over its own mean
    assert (pipeline.binarise(white, 255, 1) == 255).all()
    assert (pipeline.smooth(white) == 255).all()


def test_a_result_stays_as_it_is_while_frames_go_on(pipeline):
    held = [(grey, pipeline.half(grey)) for grey in (pixels(20, 20, seed=seed) for seed in range(30))]
    for grey, half in held:
        np.testing.assert_array_equal(half, FramePipeline().half(grey))


def test_memory_is_used_again_once_a_result_is_gone(pipeline):
    grey = pixels(64, 64)
    first = pipeline.half(grey).ctypes.data
    assert pipeline.half(grey).ctypes.data == first


def test_a_result_outlives_its_pipeline():
    half = FramePipeline().half(pixels(64, 64))
    np.testing.assert_array_equal(half, FramePipeline().half(pixels(64, 64)))


def test_results_cannot_be_written(pipeline):
    with pytest.raises(ValueError, match="read-only"):
        pipeline.half(pixels(4, 4))[0, 0] = 1


def test_threads_may_share_a_pipeline(pipeline):
    frames = [pixels(120, 160, 3, seed=seed) for seed in range(4)]
    expected = [FramePipeline().half(luma_of(frame, "RGB").astype(np.uint8)).copy() for frame in frames]
    wrong = []

    def work(frame, half):
        for _ in range(200):
            if not np.array_equal(pipeline.half(pipeline.luma(frame, "RGB")), half):
                wrong.append(frame)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(frames, expected, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("frame", "pixel_format", "sizes", "message"),
    [
        (b"", "HSV", (), "'HSV' is unknown; there are GREY"),
        (bytes(99), "GREY", (10, 10), "99 bytes, too few for 10 rows"),
        (bytes(100), "GREY", (10, 10, 11), "too few"),
        (bytes(100), "RGB", (10, 10), "too few"),
        (bytes(9), "GREY", (10, 1), "9 bytes, too few for 1 row"),
        (bytes(100), "GREY", (10, 10, 9), "stride is 9, but a row has 10"),
        (bytes(100), "GREY", (10, 10, -10), "stride is -10"),
        (bytes(100), "GREY", (-1, 10), "width is -1"),
        (bytes(100), "GREY", (1, 1 << 40), "height is"),
        (bytes(100), "GREY", (1, 65536, (1 << 63) - 1), "too few"),
        (bytes(100), "RGBA", (65536, 65536), "too few"),
        (np.zeros((2, 2), np.uint8), "GREY", (2,), "has its own shape"),
        (np.zeros((2, 2), np.uint8), "RGB", (), r"shape \(height, width, 3\)"),
        (np.zeros((2, 2, 3), np.uint8), "GREY", (), r"shape \(height, width\)"),
        (np.zeros((2, 2, 4), np.uint8), "BGR", (), r"\(height, width, 3\)"),
        (np.zeros((2, 2), np.uint16), "GREY", (), "must hold unsigned bytes"),
        (np.zeros((2, 2), np.int8), "GREY", (), "must hold unsigned bytes"),
        (np.zeros((2, 2), bool), "GREY", (), "must hold unsigned bytes"),
        (np.zeros(20, np.uint8)[::2], "GREY", (2, 2), "must be contiguous"),
        (np.zeros((1, 65537), np.uint8), "GREY", (), "side is 65537"),
        (np.zeros((), np.uint8), "GREY", (), "shape"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_with_its_numbers(pipeline, frame, pixel_format, sizes, message):
    with pytest.raises(ValueError, match=message):
        pipeline.luma(frame, pixel_format, 0, None, *sizes)


def test_rows_behind_pointers_are_refused(pipeline):
    buffers = pytest.importorskip("_testbuffer", reason="this Python came without its own tests")
    frame = buffers.ndarray(list(range(12)), shape=[3, 4], format="B", flags=buffers.ND_PIL)
    with pytest.raises(ValueError, match="behind pointers to its rows"):
        pipeline.luma(frame, "GREY")
    with pytest.raises(ValueError, match="behind pointers to its rows"):
        pipeline.smooth(frame)


@pytest.mark.parametrize("width", [(1 << 63) - 1, -(1 << 63), 1 << 31])
def test_sizes_at_the_ends_of_their_type_are_refused(pipeline, width):
    with pytest.raises(ValueError, match="width is"):
        pipeline.luma(b"", "RGBA", 0, None, width, 1)


@given(
    size=st.integers(0, 400),
    width=st.integers(-2, 40),
    height=st.integers(-2, 40),
    stride=st.integers(-2, 60),
    pixel_format=st.sampled_from(["GREY", "NV12", *CHANNELS]),
)
def test_flat_bytes_are_taken_exactly_when_every_row_lies_inside(size, width, height, stride, pixel_format):
    row = width * CHANNELS.get(pixel_format, 1)
    step = stride or row
    fits = width >= 0 and height >= 0 and step >= row and (height == 0 or (height - 1) * step + row <= size)
    try:
        shape = FramePipeline().luma(bytes(size), pixel_format, 0, None, width, height, stride).shape
    except ValueError:
        assert not fits
    else:
        assert fits
        assert shape == (height, width)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, g: p.binarise(g, 14), "window is 14"),
        (lambda p, g: p.binarise(g, 1), "window is 1"),
        (lambda p, g: p.binarise(g, 257), "window is 257"),
        (lambda p, g: p.binarise(g, 15, 256), "offset is 256"),
        (lambda p, g: p.binarise(g, 15, -256), "offset is -256"),
        (lambda p, g: p.sharpen(g, 0), "amount is 0"),
        (lambda p, g: p.sharpen(g, 9), "amount is 9"),
        (lambda p, g: p.twice(np.broadcast_to(g[:1], (1 << 16, 4))), "too large to double"),
        (lambda p, g: p.twice(np.broadcast_to(g[:, :1], (4, 1 << 16))), "too large to double"),
        (lambda p, g: p.half(np.zeros((2, 2, 3), np.uint8)), "shape"),
        (lambda p, g: p.hit([(0, 0), (1, 0), (1, float("nan")), (0, 1)]), "finite"),
        (lambda p, g: FramePipeline(-0.1), "margin"),
        (lambda p, g: FramePipeline(16.1), "margin"),
        (lambda p, g: FramePipeline(float("nan")), "margin"),
        (lambda p, g: FramePipeline(0.5, 0), "patience"),
    ],
)
def test_parameters_out_of_range_are_refused(pipeline, call, message):
    with pytest.raises(ValueError, match=message):
        call(pipeline, pixels(4, 4))


SQUARE = [(100, 50), (140, 50), (140, 90), (100, 90)]


def test_there_is_no_region_before_the_first_hit(pipeline):
    assert pipeline.region(640, 480) is None


def test_the_region_is_the_last_hit_with_its_margin():
    pipeline = FramePipeline(0.5)
    pipeline.hit([(0, 0), (9, 0), (9, 9), (0, 9)])
    pipeline.hit(SQUARE[2:] + SQUARE[:2])
    assert pipeline.region(640, 480) == (80, 30, 80, 80)


def test_the_region_is_cut_to_the_frame_and_lost_outside_it():
    pipeline = FramePipeline(0.5)
    pipeline.hit(SQUARE)
    assert pipeline.region(120, 60) == (80, 30, 40, 30)
    assert pipeline.region(80, 480) is None
    assert pipeline.region(640, 30) is None
    pipeline.hit([(-1e300, -1e300), (1e300, -1e300), (1e300, 1e300), (-1e300, 1e300)])
    assert pipeline.region(640, 480) == (0, 0, 640, 480)


def test_the_region_is_lost_after_as_many_misses_as_its_patience():
    pipeline = FramePipeline(0.5, 2)
    pipeline.hit(SQUARE)
    pipeline.miss()
    assert pipeline.region(640, 480)
    pipeline.miss()
    assert pipeline.region(640, 480) is None
    pipeline.hit(SQUARE)
    assert pipeline.region(640, 480)


DRIVER = r"""
#include "pixels.cpp"
#include "threshold.cpp"
#include "bars.cpp"
#include "frame_pipeline.cpp"
#include <cstdio>
using namespace ehc::frame;
int main() {  // every size on buffers without a byte to spare, so that the sanitizer sees one step too far
    FramePipeline pipeline(0.5, 5);
    unsigned long sum = 0;
    for (Format format : {Format::grey, Format::nv12, Format::yuyv, Format::rgb, Format::bgr, Format::rgba})
        for (int width = 0; width < 36; ++width)
            for (int height = 0; height < 20; ++height) {
                const int row = width * pixel_bytes(format), stride = row + height % 3;
                const std::size_t size = height ? std::size_t(stride * (height - 1) + row) : 0;
                std::unique_ptr<std::uint8_t[]> data(new std::uint8_t[size]);
                for (std::size_t i = 0; i < size; ++i) data[i] = std::uint8_t(i * 37);
                const View in = view_of(data.get(), size, format, width, height, stride);
                const auto grey = pipeline.luma(in, format);
                View at = grey->view();
                for (int times = 1; times <= most_times; ++times) sum += pipeline.luma(in, format, times)->width();
                sum += static_cast<unsigned long>(change(at, at, 8)) + static_cast<unsigned long>(active(at).width);
                sum += pipeline.glance(in, format)->width();
                pipeline.held_something();
                sum += bars(at, 4).size();
                for (const double out : {-2.0, 0.0})  // over the border, and just inside
                    if (width && height) {
                        const Bars where{{{out, -out}, {width - 1.01 - out, out}, {out, height - 1.01}}};
                        sum += pipeline.upright(at, where)->width();
                    }
                if (format == Format::yuyv) at = in;  // a grey view with a gap between pixels
                for (const auto &out :
                     {pipeline.half(at), pipeline.twice(at), pipeline.dilate(at), pipeline.smooth(at),
                      pipeline.sharpen(at, 8), pipeline.binarise(at, 15, 5), pipeline.binarise(at, 255, -5)})
                    for (int y = 0; y < out->height(); ++y)
                        for (int x = 0; x < out->width(); ++x) sum += out->at(y)[x];
            }
    for (const int width : {40, 41, 47, 48, 81})
        for (const int height : {40, 43, 56}) {
            std::vector<std::uint8_t> data(std::size_t(2 * width) * std::size_t(height));
            for (std::size_t i = 0; i < data.size(); ++i) data[i] = std::uint8_t(i * i * 37 >> 5);
            for (const Format format : {Format::grey, Format::yuyv}) {
                View in = view_of(data.data(), data.size(), format, width, height, 2 * width);
                const auto out = pipeline.threshold(in);
                sum += out->at(height - 1)[width - 1];
            }
        }
    for (const int width : {601, 1203, 2400})  // frames whose smallest level is halved
        for (int height = 2; height < 40; ++height) {
            std::vector<std::uint8_t> data(std::size_t(2 * width) * std::size_t(height));
            const View in = view_of(data.data(), data.size(), Format::yuyv, width, height, 0);
            pipeline.glance(in, Format::yuyv);
            pipeline.held_nothing();
            sum += pipeline.glance(in, Format::yuyv) == nullptr;
        }
    std::printf("%lu\n", sum);
}
"""


def test_no_read_or_write_outside_a_frame_and_no_warning_of_the_compiler(tmp_path):
    compiler = shutil.which("g++")
    assert compiler, "install g++: the frame pipeline is built with it"
    (tmp_path / "driver.cpp").write_text(DRIVER)
    strict = "-std=c++17 -O1 -Wall -Wextra -Wshadow -Werror -fsanitize=address,undefined -fno-sanitize-recover=all"
    [cpu] = compile_objects(tmp_path, [ROOT / "native/base/cpu.c"], *OPTIONS).values()
    files = [f"-I{ROOT / 'native/frame'}", tmp_path / "driver.cpp", cpu, *ROWS]
    command = [compiler, *strict.split(), *files, "-o", tmp_path / "driver"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stderr) == (0, "")
    ran = subprocess.run([str(tmp_path / "driver")], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert int(ran.stdout) > 0


def test_importing_the_extension_needs_nothing_else_of_ours():
    code = "import sys, ehc._frame; print([m for m in sys.modules if m.startswith('ehc.') and m != 'ehc._frame'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
