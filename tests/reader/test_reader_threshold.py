"""What zxing-cpp sees of a photo by our own threshold is what it sees by its own."""

import pytest
import segno
import zxingcpp

from ehc._frame import FramePipeline
from ehc.reader.degrade import code_image, photograph
from ehc.reader.looking import BITS, How
from ehc.reader.spec_sheet import CODES


def told(barcodes):
    return [(barcode.text, str(barcode.error), str(barcode.position), barcode.extra) for barcode in barcodes]


DYNAMIC = code_image(segno.make_qr(CODES["dynamic"], error="m").matrix)


@pytest.mark.parametrize("size", [(140, 131), (301, 227), (960, 720)])
def test_our_threshold_shows_zxing_cpp_what_its_own_does(size):
    frames, seen = FramePipeline(), 0
    for seed in range(12):
        how = {"module": 2.2, "noise": 3.0 * seed, "contrast": 0.9 if seed % 3 else 0.2}
        photo = photograph(DYNAMIC, seed=seed, size=size, **how)
        bits = frames.threshold(photo)
        if bits is None:
            continue
        theirs = zxingcpp.read_barcodes(photo, *How())
        assert told(zxingcpp.read_barcodes(bits, *BITS)) == told(theirs)
        seen += len(theirs)
    assert seen > 3
