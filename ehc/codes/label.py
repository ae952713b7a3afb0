"""Printed labels (标签) for people without a phone: a static code, whose it is, where it serves. PDF, on sheets.

The symbol is drawn as rectangles, so it is sharp at every resolution; any scanner reads modules of 0.6 mm and more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ehc.codes.draw import QUIET_ZONE, symbol
from ehc.errors import ConfigError

if TYPE_CHECKING:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

FONTS = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
)
"""Where the packages of fonts with Chinese characters put them."""


@dataclass(frozen=True, slots=True)
class Label:
    payload: str
    name: str  # masked
    note: str = ""  # such as the institution that prints it


@dataclass(frozen=True, slots=True)
class Sheet:
    """Labels on a page, in millimetres; the default is A4 with 3 by 8 labels of 70 mm by 37 mm."""

    columns: int = 3
    rows: int = 8
    width: float = 70
    height: float = 37
    left: float = 0
    top: float = 0.5
    page: tuple[float, float] = (210, 297)


def labels_pdf(labels: Sequence[Label], sheet: Sheet = Sheet(), font: Path | None = None) -> bytes:
    """As many pages as it takes. font: a TrueType or OpenType file; one of FONTS when None.

    Raises InputError for a payload outside QR alphanumeric mode, ConfigError when no font has Chinese characters.
    """
    from fpdf import FPDF  # noqa: PLC0415 23 MB, which a worker that prints nothing need not hold

    pdf = FPDF(unit="mm", format=sheet.page)
    pdf.set_auto_page_break(False)
    pdf.set_creator("ehc")
    pdf.add_font("label", fname=_font(font))
    with closing(cast("TTFFont", pdf.fonts["label"])):  # read from until the end
        for i, label in enumerate(labels):
            place = i % (sheet.columns * sheet.rows)
            if place == 0:
                pdf.add_page()
            row, column = divmod(place, sheet.columns)
            _draw(pdf, label, sheet, sheet.left + column * sheet.width, sheet.top + row * sheet.height)
        return bytes(pdf.output())


def _font(given: Path | None) -> Path:
    found = next((path for path in (FONTS if given is None else (given,)) if path.is_file()), None)
    if found is None:
        where = given or ", ".join(map(str, FONTS))
        raise ConfigError(f"label_font: no font with Chinese characters at {where}; install fonts-noto-cjk or name one")
    return found


def _draw(pdf: FPDF, label: Label, sheet: Sheet, x: float, y: float) -> None:
    margin = 2.0
    side = sheet.height - 2 * margin
    _symbol(pdf, label.payload, x + margin, y + margin, side)
    lines = ("电子健康卡", label.name, label.note, "挂号、问诊使用，请勿外借")
    for i, (text, size) in enumerate(zip(lines, (11, 11, 7, 6), strict=True)):
        pdf.set_font("label", size=size)
        pdf.set_xy(x + margin + side + 1, y + 5 + 7 * i)
        pdf.cell(sheet.width - side - 2 * margin - 1, 5, _fitting(pdf, text, sheet.width - side - 2 * margin - 1))


def _fitting(pdf: FPDF, text: str, width: float) -> str:
    """The text, its end cut off where it is wider than its place."""
    while text and pdf.get_string_width(text) > width:
        text = text[:-1]
    return text


def _symbol(pdf: FPDF, payload: str, x: float, y: float, side: float) -> None:
    """Runs of dark modules as one rectangle each, the quiet zone inside the side."""
    rows = list(symbol(payload).matrix_iter(scale=1, border=QUIET_ZONE))
    module = side / len(rows)
    pdf.set_fill_color(0)
    for j, row in enumerate(rows):
        start = None
        for i, dark in enumerate((*row, 0)):
            if dark and start is None:
                start = i
            elif not dark and start is not None:
                pdf.rect(x + start * module, y + j * module, (i - start) * module, module, style="F")
                start = None
