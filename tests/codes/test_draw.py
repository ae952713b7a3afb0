import io

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from ehc.codes.draw import QUIET_ZONE, png, svg, symbol
from ehc.errors import InputError

CARD, TOKEN = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928", "92FD69141DFE1553A42251E2B0196148"
STATIC, DYNAMIC = f"{CARD}:1", f"{CARD}:0:{TOKEN}"


@pytest.mark.parametrize(("payload", "designator"), [(STATIC, "4-M"), (DYNAMIC, "5-M")])
def test_the_symbol_is_as_small_as_the_domain_says(payload: str, designator: str) -> None:
    drawn = symbol(payload)
    assert drawn.designator == designator
    assert drawn.mode == "alphanumeric"


def test_lower_case_is_refused_since_it_would_need_a_larger_symbol() -> None:
    with pytest.raises(InputError, match="alphanumeric"):
        png(DYNAMIC.lower())


@pytest.mark.parametrize("scale", [1, 4, 8])
@pytest.mark.parametrize(("payload", "modules"), [(STATIC, 33), (DYNAMIC, 37)])
def test_the_image_is_whole_pixels_a_module_with_a_quiet_zone(payload: str, modules: int, scale: int) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(png(payload, scale))).convert("L"))
    side = (modules + 2 * QUIET_ZONE) * scale
    assert pixels.shape == (side, side)
    ink = np.argwhere(pixels < 128)
    assert ink.min() == QUIET_ZONE * scale
    assert ink.max() == side - QUIET_ZONE * scale - 1


@pytest.mark.parametrize("payload", [STATIC, DYNAMIC])
def test_zxing_reads_what_was_drawn(payload: str) -> None:
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(png(payload, 4))).convert("L"))
    assert [code.text for code in found] == [payload]


def test_svg_is_a_drawing_of_the_same_size() -> None:
    drawing = svg(STATIC, 2)
    assert "<svg" in drawing
    assert f'width="{(33 + 2 * QUIET_ZONE) * 2}"' in drawing


@pytest.mark.parametrize("scale", [0, -1, 65, 1.5, 2.0])
def test_a_scale_that_is_no_whole_number_of_pixels_is_refused(scale: float) -> None:
    with pytest.raises(InputError, match="whole pixels"):
        png(STATIC, scale)  # type: ignore[arg-type]
