"""Printed labels, looked at as a printer would print them: rendered, then read by zxing-cpp."""

from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from ehc.codes.label import Label, Sheet, labels_pdf
from ehc.errors import ConfigError, InputError

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"


def printed(pdf: bytes, dots_per_inch: int = 200) -> list[list[str]]:
    """The texts of the symbols on every page."""
    pages = (page.render(scale=dots_per_inch / 72).to_pil() for page in pypdfium2.PdfDocument(pdf))
    return [sorted(code.text for code in zxingcpp.read_barcodes(page)) for page in pages]


def test_every_label_of_every_page_is_read_from_a_print_of_200_dpi() -> None:
    payloads = [f"{CARD[:-2]}{i:02}:1" for i in range(30)]
    pages = printed(labels_pdf([Label(payload, "****卡", "某市人民医院") for payload in payloads]))
    assert pages == [payloads[:24], payloads[24:]]


def test_a_label_says_whose_it_is_and_what_for() -> None:
    document = pypdfium2.PdfDocument(labels_pdf([Label(f"{CARD}:1", "****卡", "某市人民医院")]))
    text = document[0].get_textpage().get_text_range()
    for part in ("电子健康卡", "****卡", "某市人民医院", "挂号"):
        assert part in text


def test_a_note_that_is_too_long_stays_on_its_label() -> None:
    document = pypdfium2.PdfDocument(labels_pdf([Label(f"{CARD}:1", "****卡", "院" * 100)]))
    assert 5 < document[0].get_textpage().get_text_range().count("院") < 20


def test_a_single_label_of_a_label_printer() -> None:
    sheet = Sheet(columns=1, rows=1, width=60, height=40, top=0, page=(60, 40))
    assert printed(labels_pdf([Label(f"{CARD}:1", "****卡")] * 2, sheet)) == [[f"{CARD}:1"]] * 2


def test_no_labels_are_an_empty_document() -> None:
    assert labels_pdf([]).startswith(b"%PDF")


def test_a_payload_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="alphanumeric"):
        labels_pdf([Label("lower case", "*")])


def test_a_font_that_is_not_there_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="label_font"):
        labels_pdf([Label(f"{CARD}:1", "*")], font=tmp_path / "none.ttf")
