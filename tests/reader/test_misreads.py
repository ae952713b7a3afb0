"""Nothing is read that was not drawn: a short part of misreads.py."""

import segno
import zxingcpp
from misreads import wrong

from ehc.reader.degrade import Conditions, code_image, shoot
from ehc.reader.pipeline import Reader
from ehc.reader.spec_sheet import BASE, CODES

FRAMES = range(0, 96)
STRIPES = 51093002
"""The number of a photo in whose stripes zxing-cpp sees bars."""


def test_no_spoilt_and_no_empty_frame_is_misread():
    bad, read = wrong(FRAMES)
    assert bad == []
    assert 15 <= read <= 80, "frames of which all or none can be read prove nothing"


def test_a_few_rows_of_stripes_are_no_code_of_bars():
    clean = code_image(segno.make_qr(CODES["static"], error="m").matrix)
    photo = shoot(clean, STRIPES, Conditions(**{**BASE, "moire": 0.4})).pixels
    [seen] = zxingcpp.read_barcodes(photo, formats=zxingcpp.BarcodeFormat.AllLinear)
    assert seen.text == "0112121111111"
    assert Reader(tracking=False).read(photo) == []
