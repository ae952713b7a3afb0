"""Cameras: what can be said without one, and the frames that drivers hand over."""

import io
import subprocess
import sys

import numpy as np
import pytest
import segno
from PIL import Image

from ehc.errors import FileError, InputError, Unavailable
from ehc.reader.camera import FORMATS, Camera, fourcc, frame_of
from ehc.reader.degrade import code_image, photograph
from ehc.reader.pipeline import Reader

TEXT = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
PHOTO = photograph(code_image(segno.make_qr(TEXT, error="m").matrix), seed=2)
HEIGHT, WIDTH = PHOTO.shape


def packed(code, gap=0):
    """The photo as a driver hands it over, each row followed by a gap."""
    pixels = {"YUYV": 2, "RGB3": 3, "BGR3": 3}.get(code, 1)
    rows = np.repeat(PHOTO, pixels, axis=1)
    data = np.pad(rows, ((0, 0), (0, gap)), constant_values=99).tobytes()
    return data + bytes(len(data) // 2) if code == "NV12" else data


@pytest.mark.parametrize("code", FORMATS)
@pytest.mark.parametrize("gap", [0, 32])
def test_a_frame_of_every_format_is_read(code, gap):
    data = packed(code, gap)
    stride = WIDTH * {"YUYV": 2, "RGB3": 3, "BGR3": 3}.get(code, 1) + gap
    readings = Reader().read(frame_of(data, code, WIDTH, HEIGHT, stride))
    assert [reading.payload for reading in readings] == [TEXT]


def test_a_compressed_frame_is_read():
    data = io.BytesIO()
    Image.fromarray(PHOTO).save(data, "jpeg")
    readings = Reader().read(frame_of(data.getvalue(), "MJPG", WIDTH, HEIGHT))
    assert [reading.payload for reading in readings] == [TEXT]


def test_a_compressed_frame_that_was_cut_off_is_a_file_error():
    with pytest.raises(FileError, match="/dev/video3"):
        frame_of(b"\xff\xd8\xff\xe0", "MJPG", WIDTH, HEIGHT, name="/dev/video3")


def test_another_pixel_format_is_refused_by_its_four_letters():
    with pytest.raises(InputError, match="'H264' is not read; these are: GREY"):
        frame_of(b"", "H264", WIDTH, HEIGHT)


def test_the_four_letters_of_a_pixel_format():
    assert fourcc(0x56595559) == "YUYV"


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "linuxpy.video.device", None)  # as where it is not installed
    with pytest.raises(Unavailable, match=r"pip install 'ehc\[camera\]'"), Camera():
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is Linux")
def test_a_missing_camera_is_named(tmp_path):
    pytest.importorskip("linuxpy")
    with pytest.raises(Unavailable, match="video9: there is no such camera"), Camera(str(tmp_path / "video9")):
        pass


def test_two_programs_on_one_camera_are_told(tmp_path):
    pytest.importorskip("linuxpy")
    device = tmp_path / "video9"
    device.write_bytes(b"")
    holds = (
        "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", holds, str(device)], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Unavailable, match="another program has this camera"), Camera(str(device)):
            pass
        other.communicate("\n")


@pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is Linux")
def test_a_file_that_is_no_camera_is_refused(tmp_path):
    pytest.importorskip("linuxpy")
    (tmp_path / "video9").write_bytes(b"")
    with pytest.raises(Unavailable, match="video9"), Camera(str(tmp_path / "video9")) as camera:
        next(iter(camera))
