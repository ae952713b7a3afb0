"""Codes over HTTP: drawn, printed, revoked, given again."""

import io
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
CONSULTATION = "010102"
Make = Callable[..., Any]


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


def reason(service: Any, payload: str, scene: str = CONSULTATION) -> str:
    return str(service.verify(payload, scene)["reason"])


@pytest.mark.parametrize("scale", [4, 9])
def test_a_png_has_so_many_pixels_a_module(service: Any, scale: int) -> None:
    service.register()
    answer = service.post("/v1/codes/png", {"card_id": CARD, "kind": "static", "scale": scale})
    assert Image.open(io.BytesIO(answer.content)).size == (41 * scale, 41 * scale)


def test_an_svg_is_drawn_too(service: Any) -> None:
    service.register()
    answer = service.post("/v1/codes/svg", {"card_id": CARD, "kind": "dynamic", "scale": 1})
    assert answer.headers["content-type"] == "image/svg+xml"
    assert b'<svg xmlns="http://www.w3.org/2000/svg" width="45" height="45"' in answer.content


@pytest.mark.parametrize("sheet", ["a4", "single"])
def test_labels_are_printed_and_read(service: Any, sheet: str) -> None:
    service.register()
    other = service.register(id_type="03", id_number="E00000000", name="TEST PERSON")["card_id"]
    body = {"card_ids": [CARD, other], "note": "某市人民医院", "sheet": sheet}
    document = pypdfium2.PdfDocument(service.post("/v1/codes/labels", body).content)
    pages = [page.render(scale=200 / 72).to_pil() for page in document]
    assert len(pages) == {"a4": 1, "single": 2}[sheet]
    found = sorted(code.text for page in pages for code in zxingcpp.read_barcodes(page))
    assert found == sorted([f"{CARD}:1", f"{other}:1"])
    text = "".join(page.get_textpage().get_text_range() for page in document)
    assert "****卡" in text
    assert "电子健康卡电子健康卡" not in text
    assert "某市人民医院" in text


def test_a_label_of_a_card_that_is_not_there_is_named(service: Any) -> None:
    service.register()
    answer = service.post("/v1/codes/labels", {"card_ids": [CARD, "AB" * 32]})
    assert problem(answer) == (404, "card_ids[1]: no card has this card id")


def test_a_font_that_is_not_there_is_the_settings_fault(make_service: Make) -> None:
    service = make_service(label_font="/none.ttf")
    service.register()
    assert service.post("/v1/codes/labels", {"card_ids": [CARD]}).status_code == 500


def test_without_static_scenes_there_are_no_static_codes(make_service: Make) -> None:
    service = make_service(static_scenes=())
    service.register()
    status, detail = problem(service.post("/v1/codes", {"card_id": CARD, "kind": "static"}))
    assert status == 409
    assert "static_scenes" in detail


@pytest.mark.parametrize("profile", ["N", "A", "E2"])
def test_a_revoked_code_is_refused_and_another_one_of_the_card_is_not(make_service: Make, profile: str) -> None:
    service = make_service(issue_profile=profile)
    service.register()
    code = service.code(CARD)
    service.clock.now += 1
    other = service.code(CARD)
    answer = service.post("/v1/codes/revoke", {"payload": code["payload"]})
    assert answer.json() == {"card_id": CARD, "name": "****卡", "expires_at": code["expires_at"]}
    assert reason(service, code["payload"]) == "revoked"
    assert reason(service, other["payload"]) == "accepted"
    assert service.post("/v1/codes/revoke", {"payload": code["payload"]}).status_code == 200
    assert [line for line in service.log_lines() if line["event"] == "code_revoked"]
    assert code["payload"] not in service.log.getvalue()


@pytest.mark.parametrize("profile", ["N", "A", "E2"])
def test_a_reissued_code_serves_in_the_very_second_and_the_old_one_does_not(make_service: Make, profile: str) -> None:
    service = make_service(issue_profile=profile)
    service.register()
    old = service.code(CARD)["payload"]
    for _ in range(3):
        new = service.post("/v1/codes/reissue", {"payload": old}).json()["payload"]
        assert reason(service, old) == "revoked"
        assert reason(service, new) == "accepted"
        old = new


def test_a_suspended_cards_code_is_revoked_and_nothing_is_given_for_it(service: Any) -> None:
    service.register()
    code = service.code(CARD)["payload"]
    service.post(f"/v1/cards/{CARD}/suspend", {"reason": "lost"})
    assert service.post("/v1/codes/reissue", {"payload": code}).status_code == 409
    service.post(f"/v1/cards/{CARD}/resume", {"reason": "found"})
    assert reason(service, code) == "revoked"


@pytest.mark.parametrize("path", ["/v1/codes/revoke", "/v1/codes/reissue"])
def test_only_a_living_code_of_this_system_can_be_revoked(service: Any, path: str) -> None:
    service.register()
    forged = f"{CARD}:0:{'AB' * 16}"
    not_issued = f"{CARD}:0:{service.services.keys.seal_validity(service.clock.now + 200)}"
    expired = service.code(CARD)["payload"]
    service.clock.now += 1000
    answers = [problem(service.post(path, {"payload": one})) for one in (forged, not_issued, expired)]
    assert len(set(answers)) == 1, "an outsider does not learn which half of a forgery worked"
    assert answers[0][0] == 404
    assert problem(service.post(path, {"payload": f"{CARD}:1"}))[0] == 409
    assert problem(service.post(path, {"payload": "https://example.org"}))[0] == 422
