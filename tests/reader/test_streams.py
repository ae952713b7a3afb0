"""Streams of frames: YUV4MPEG2, raw frames, video files; whole, cut off, and what is none."""

import io

import numpy as np
import pytest
from code_streams import SIZE, empty, frame, header, photo

from ehc.errors import FileError, InputError
from ehc.reader.pipeline import Reader
from ehc.reader.streams import frames_of, raw_frames
from ehc.reader.video import video_frames

TEXT = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"


def texts(frames):
    reader = Reader()
    return [[reading.payload for reading in reader.read(one)] for one in frames]


@pytest.mark.parametrize(("colour", "more"), [("mono", 0), ("420jpeg", 0.5), ("422", 1), ("444", 2)])
def test_frames_of_every_colour_are_read(colour, more):
    chroma = bytes(int(more * SIZE[0] * SIZE[1]))
    stream = header(rate=0, colour=colour) + (frame(photo(TEXT)) + chroma) * 2 + frame(empty()) + chroma
    assert texts(frames_of(io.BytesIO(stream), "stream")) == [[TEXT], [TEXT], []]


def test_a_stream_that_is_cut_off_gives_its_whole_frames_and_says_so():
    stream = header(rate=0) + frame(photo(TEXT)) + frame(empty())[:-1]
    frames = frames_of(io.BytesIO(stream), "stream")
    assert texts([next(frames)]) == [[TEXT]]
    with pytest.raises(FileError, match=r"frame 1: cut off after 691199 of 691200 bytes"):
        next(frames)


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (b"", "empty"),
        (b"YUV4MPEG2 W10", "cut off"),
        (b"RIFF....\n", "not a YUV4MPEG2 stream"),
        (b"YUV4MPEG2 W10\n", "width, height"),
        (b"YUV4MPEG2 Wx H10\n", "width, height"),
        (b"YUV4MPEG2 W0 H10\n", "pixels"),
        (b"YUV4MPEG2 W99999999 H99999999\n", "pixels"),
        (b"YUV4MPEG2 W8 H8 C420p10\n", "colours C420p10"),
        (b"YUV4MPEG2 W8 H8 F1:0 Cmono\nFRAME\n" + bytes(64), "cut off|rate"),
        (b"YUV4MPEG2 W8 H8 Cmono\nGRAME\n" + bytes(64), "FRAME"),
        (b"YUV4MPEG2 " + b"X" * 5000, "cut off"),
    ],
)
def test_what_is_no_stream_is_refused(stream, says):
    with pytest.raises(FileError, match=says):
        list(
            frames_of(io.BytesIO(stream + b"x"), "stream")
            if "cut off|rate" in says
            else frames_of(io.BytesIO(stream), "s")
        )


def test_raw_frames_of_every_format_are_read():
    pixels = photo(TEXT)
    for code, data in (
        ("GREY", pixels.tobytes()),
        ("NV12", pixels.tobytes() + bytes(pixels.size // 2)),
        ("YUYV", np.repeat(pixels, 2, axis=1).tobytes()),
        ("RGB3", np.repeat(pixels, 3, axis=1).tobytes()),
    ):
        assert texts(raw_frames(io.BytesIO(data * 2), SIZE, code, "raw")) == [[TEXT], [TEXT]], code
    with pytest.raises(FileError, match="cut off"):
        list(raw_frames(io.BytesIO(pixels.tobytes()[:-1]), SIZE, "GREY", "raw"))
    with pytest.raises(InputError, match="H264"):
        list(raw_frames(io.BytesIO(b""), SIZE, "H264", "raw"))


def test_a_video_file_is_read_and_a_broken_one_named(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "code.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *SIZE, "yuv420p", 8_000_000
        for _ in range(3):
            picture = av.VideoFrame.from_ndarray(photo(TEXT), format="gray").reformat(format="yuv420p")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    found = texts(video_frames(tmp_path / "code.mp4"))
    assert len(found) == 3
    assert found[-1] == [TEXT]
    (tmp_path / "broken.mp4").write_bytes((tmp_path / "code.mp4").read_bytes()[:100])
    with pytest.raises(FileError, match="cannot be read"):
        list(video_frames(tmp_path / "broken.mp4"))
