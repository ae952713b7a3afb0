"""Family A, `POST /api/do`: the vectors, the nine methods, and who is refused with which code."""

import base64
import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import zxingcpp
from do_client import APP, SECRET, SETTINGS, DoApp, new_app, seal, sign, unseal
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from vectors import load

from ehc.cards.accounts import Act
from ehc.config import DO_FAILURES, Settings
from ehc.errors import ConfigError
from ehc.institutions.place import Change, Institution, Terminal
from ehc.sdkauth import family_a
from ehc.web.profiles.do.codes import CODES
from ehc.web.profiles.do.methods import METHODS

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
MINDEX = "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E"
NUMBER, NAME = "11010020171225006X", "电子健康卡"
CODE = {name: code for name, (code, _) in CODES.items()}


@pytest.fixture
def service(make_service: Callable[..., Any]) -> Any:
    return make_service(**SETTINGS)


@pytest.fixture
def app(service: Any) -> DoApp:
    return new_app(service)


def person(**more: Any) -> dict[str, Any]:
    document = {"idCardTypeCode": "01", "idCode": seal(NUMBER), "name": seal(NAME)}
    return document | {"personnelType": "1", "appMode": "3", "orgCode": "H-1"} | more


DOCUMENT = {"idCardTypeCode": "01", "idCode": seal(NUMBER)}


# --- the vectors of family A: "Sign = lower-case hex of H(compact JSON with sorted keys ‖ appSecret)"


@pytest.mark.parametrize("mode", ["sm3", "md5"])
def test_a_sign_is_the_published_one(mode: str) -> None:
    known = load("signing")["sign"]
    body = json.loads(known["body"])
    shuffled = dict(reversed(body.items()))
    assert family_a.sign(shuffled, known["key"], mode.upper()) == known[mode]
    assert family_a.is_signed(shuffled, known["key"], mode.upper(), known[mode].upper())
    assert not family_a.is_signed(shuffled | {"appMode": "3"}, known["key"], mode.upper(), known[mode])


def test_an_encrypted_field_is_the_published_one() -> None:
    """ "SM4/ECB/ZeroBytePadding, key = hex-decoded appSecret, upper-case hex" """
    known = load("signing")["field"]
    fields = family_a.Fields(known["key"])
    assert fields.seal(known["text"]) == known["cipher"]
    assert fields.unseal("name", known["cipher"].lower()) == known["text"]


def test_a_sign_is_over_utf_8_and_every_level_is_sorted() -> None:
    nested = {"b": [{"z": 1, "a": "电"}], "a": None}
    text = '{"a":null,"b":[{"a":"电","z":1}]}' + SECRET
    assert family_a.sign(nested, SECRET, "MD5") == hashlib.md5(text.encode()).hexdigest()


# --- the nine methods


def test_create_registers_once_and_answers_the_card_of_the_vector(app: DoApp) -> None:
    for _ in range(2):
        datas = app.ask("createVmcardQRcode", **person(phone=seal("13900000000"), nation="01", birthday="20171225"))
        assert datas == {"erhcCardNo": CARD, "empi": MINDEX, "qrCode": f"{CARD}:1"}


def test_a_registered_person_is_found_in_full_by_an_app_that_may_and_the_look_is_recorded(app: DoApp) -> None:
    app.ask("createVmcardQRcode", **person(phone=seal("13900000000"), nation="01", birthday="2017-12-25"))
    for wanted in (DOCUMENT, {"erhcCardNo": CARD.lower()}):
        datas = app.ask("getPersonInfo", appMode="3", **wanted)
        assert (datas["erhcCardNo"], datas["empi"], datas["idCardTypeCode"]) == (CARD, MINDEX, "01")
        shown = {name: unseal(datas[name]) for name in ("name", "idCode", "phone")}
        assert shown == {"name": NAME, "idCode": NUMBER, "phone": "13900000000"}
        assert (datas["nation"], datas["birthday"]) == ("01", "20171225")
    looks = app.service.services.looks.looks()
    assert [(look.who, look.what, look.purpose) for look in looks] == [
        (APP, "getPersonInfo", "/api/do getPersonInfo")
    ] * 2


def test_an_app_without_accounts_plain_sees_a_masked_name_and_nothing_else(service: Any) -> None:
    app = new_app(service, "register", "accounts:read")
    app.ask("createVmcardQRcode", **person())
    datas = app.ask("getPersonInfo", **DOCUMENT)
    assert datas == {"erhcCardNo": CARD, "empi": "", "name": seal("****卡")}
    assert service.services.looks.looks() == []


def test_modify_changes_what_is_named_and_nothing_else(app: DoApp) -> None:
    app.ask("createVmcardQRcode", **person(phone=seal("13900000000"), address="甲路"))
    app.ask("modifyVmcardInfo", erhcCardNo=CARD, phone=seal("13911111111"), linkman=seal("测试"), sex=None)
    datas = app.ask("getPersonInfo", erhcCardNo=CARD)
    assert (unseal(datas["phone"]), unseal(datas["linkman"]), datas["address"]) == ("13911111111", "测试", "甲路")
    assert app.fails("modifyVmcardInfo", erhcCardNo=CARD) == CODE["input"]


def test_an_active_code_is_verified_once_where_it_serves_once(app: DoApp) -> None:
    app.ask("createVmcardQRcode", **person())
    code = app.ask("getActiveQrCode", erhcCardNo=CARD, appMode="5")["qrCode"]
    assert code.startswith(f"{CARD}:0:")
    shown = {"qrCode": code, "medStepCode": "010105", "terminalCode": "hhqy001", "appMode": "2"}
    assert unseal(app.ask("getPersonInfoByQrCode", **shown)["name"]) == NAME
    assert unseal(app.ask("getPersonInfoByQrCode", **shown)["name"]) == NAME  # the same place, the same visit
    again = app.send(app.request("getPersonInfoByQrCode", **(shown | {"terminalCode": "hhqy002"})))
    assert (again["returnCode"], again["datas"]) == (CODE["refused"], {})
    assert "replayed" in again["returnDesc"]


def test_a_disabled_terminal_takes_no_code(app: DoApp) -> None:
    register, now = app.service.services.register, app.service.clock.now
    register.add(Institution("H-1", "测试医院", "330100", "A", now - 9), "")
    register.add(Terminal("H-1", "hhqy001", "01", None, now - 9), "")
    register.change(Terminal, ("H-1", "hhqy001"), Change(enabled=False), now, "")
    app.service.app.worker.gate.doors.until -= 10
    app.ask("createVmcardQRcode", **person())
    shown = {"qrCode": f"{CARD}:1", "medStepCode": "010101"}
    answer = app.send(app.request("getPersonInfoByQrCode", terminalCode="hhqy001", **shown))
    assert (answer["returnCode"], answer["returnDesc"]) == (CODE["refused"], "二维码无效: place")
    assert app.fails("getPersonInfoByQrCode", terminalCode="hhqy002", **shown) == "0"


def test_a_forged_code_tells_nothing(app: DoApp) -> None:
    app.ask("createVmcardQRcode", **person())
    forged = {"qrCode": f"{CARD}:0:{'0' * 32}", "medStepCode": "010101"}
    answer = app.send(app.request("getPersonInfoByQrCode", **forged))
    assert (answer["returnCode"], answer["returnDesc"]) == (CODE["refused"], "二维码无效")
    assert app.service.services.looks.looks() == []


def test_whether_somebody_is_registered(app: DoApp) -> None:
    assert app.ask("queryIfHasRegistered", **DOCUMENT) == {"parameters": 0, "remarks": "未注册"}
    app.ask("createVmcardQRcode", **person())
    assert app.ask("queryIfHasRegistered", **DOCUMENT) == {"parameters": 1, "remarks": "已注册"}
    accounts = app.service.services.accounts
    accounts.cancel(accounts.card(CARD), Act(app.service.clock.now, "", "a test"))
    assert app.ask("queryIfHasRegistered", **DOCUMENT)["parameters"] == 0
    assert app.ask("createVmcardQRcode", **person())["erhcCardNo"] == CARD  # restored


def test_activate_gives_the_static_code_of_a_document(app: DoApp) -> None:
    assert app.fails("activateVmcardQRcode", **DOCUMENT) == CODE["not_found"]
    app.ask("createVmcardQRcode", **person())
    datas = app.ask("activateVmcardQRcode", appMode="3", **DOCUMENT)
    assert datas == {"erhcCardNo": CARD, "empi": "", "qrCode": f"{CARD}:1"}


def child(**more: Any) -> dict[str, Any]:
    mother = {"motherIdCode": seal(NUMBER), "motherName": seal(NAME), "motherEmpi": MINDEX}
    return {"name": seal("测试"), "idCardTypeCode": "99", "personnelType": "2", "birthday": "20251201"} | mother | more


def test_a_child_is_registered_under_its_mother_and_exchanged_for_its_own_document(app: DoApp) -> None:
    assert app.fails("createVmcardQRcode", **child()) == CODE["not_found"]
    app.ask("createVmcardQRcode", **person())
    first = app.ask("createVmcardQRcode", **child(multifetalMark="1", multpripleBirths="1"))
    second = app.ask("createVmcardQRcode", **child(multifetalMark="1", multpripleBirths="2"))
    assert first["erhcCardNo"] != second["erhcCardNo"]
    own = {"idCardTypeCode": "03", "idCode": seal("E00000000"), "name": seal("TEST PERSON")}
    datas = app.ask("exchangeChild", erhcCardNo=first["erhcCardNo"], **own)
    assert datas["erhcCardNo"] == "837C825FE117BE7F9031F42030F7AD7FAAFD2E334C4B28BCF1A9E31168FCEA6B"
    assert app.ask("activateVmcardQRcode", **DOCUMENT | own | {"name": None})["erhcCardNo"] == datas["erhcCardNo"]
    assert app.fails("exchangeChild", erhcCardNo=second["erhcCardNo"], **own) == CODE["conflict"]


def test_payments_are_kept_as_uses_of_cards_row_for_row(app: DoApp) -> None:
    register, now = app.service.services.register, app.service.clock.now
    register.add(Institution("H-1", "测试医院", "330100", "A", now - 9), "")
    register.add(Terminal("H-1", "hhqy001", "01", None, now - 9), "")
    app.ask("createVmcardQRcode", **person())
    row = {"payNo": "p-1", "payTime": "20260101080000", "erhcCardNo": CARD, "terminalCode": "hhqy001"}
    unknown = row | {"payNo": "p-2", "erhcCardNo": "AB" * 32}
    no_time = row | {"payNo": "p-3", "payTime": "20260231080000"}
    for first in ("kept", "duplicate"):
        results = app.ask("batchUploadPayInfo", payInfos=[row, unknown, no_time])["results"]
        assert [(one["payNo"], one["ruling"]) for one in results] == [
            ("p-1", first),
            ("p-2", "unknown_card"),
            ("p-3", "invalid"),
        ]
    answer = app.send(app.request("batchUploadPayInfo", payInfos=[row | {"payAmount": "1.00"}]))
    assert answer["returnCode"] == CODE["input"]
    assert "payAmount" in answer["returnDesc"]


# --- who is refused, and what it is told


def test_an_app_that_is_not_known_or_revoked_has_no_answer_signed(app: DoApp) -> None:
    request = app.request("queryIfHasRegistered", **DOCUMENT)
    answer = app.send(request | {"appId": "somebody"})
    assert (answer["returnCode"], answer["signString"]) == (CODE["app"], "")
    app.service.services.callers.revoke(APP, app.service.clock.now)
    app.service.app.worker.gate.doors.until -= 10
    assert app.send(request)["returnCode"] == CODE["app"]


def test_every_signed_member_is_checked(app: DoApp) -> None:
    good = app.request("queryIfHasRegistered", **DOCUMENT)
    changes = [
        {"timestamp": good["timestamp"] + "0"},
        {"nonceStr": "another"},
        {"version": "V1"},
        {"orgCode": "H-2"},
        {"headSign": "0" * 64},
        {"bodySign": good["headSign"]},
        {"body": good["body"] | {"idCardTypeCode": "02"}},
        {"bodySign": ""},
    ]
    for change in changes:
        assert app.send(good | change)["returnCode"] == CODE["signature"], change
    assert app.send(good)["returnCode"] == "0"


def test_modes_and_versions_that_the_deployment_does_not_speak(app: DoApp) -> None:
    good = app.request("queryIfHasRegistered", **DOCUMENT)
    for change in ({"signMode": "MD5"}, {"signMode": "none"}, {"encryptMode": "none"}):
        assert app.send(good | change)["returnCode"] == CODE["mode"]
    app.head = {"version": "V9"}
    assert app.fails("queryIfHasRegistered", **DOCUMENT) == CODE["version"]


def test_md5_is_taken_where_it_is_switched_on(make_service: Callable[..., Any]) -> None:
    app = new_app(make_service(**SETTINGS, do_md5=True))
    request = app.request("queryIfHasRegistered", **DOCUMENT) | {"signMode": "MD5"}
    head = {name: request[name] for name in ("appId", "timestamp", "nonceStr", "version")}
    signs = {"headSign": family_a.sign(head, SECRET, "MD5"), "bodySign": family_a.sign(request["body"], SECRET, "MD5")}
    assert app.send(request)["returnCode"] == CODE["signature"]
    answer = app.send(request | signs)
    assert (answer["returnCode"], answer["signString"]) == ("0", family_a.sign(answer["datas"], SECRET, "MD5"))


@pytest.mark.parametrize(("off", "name"), [(-300, "ok"), (300, "ok"), (-301, "time"), (301, "time")])
def test_a_timestamp_has_a_window(app: DoApp, off: int, name: str) -> None:
    app.head = {"timestamp": app.service.clock.now + off}
    assert app.fails("queryIfHasRegistered", **DOCUMENT) == CODE[name]


@pytest.mark.parametrize(("text", "name"), [("", "input"), ("1767225600000", "input"), ("soon", "input")])
def test_a_timestamp_is_seconds(app: DoApp, text: str, name: str) -> None:
    app.head = {"timestamp": text}
    assert app.fails("queryIfHasRegistered", **DOCUMENT) == CODE[name]


def test_a_timestamp_may_be_encrypted_as_a_field(app: DoApp) -> None:
    app.head = {"timestamp": seal(str(app.service.clock.now))}
    assert app.fails("queryIfHasRegistered", **DOCUMENT) == "0"


def test_a_request_is_accepted_once_and_its_head_signs_no_other_body(app: DoApp) -> None:
    first, second = (app.request("getPersonInfo", **wanted) for wanted in (DOCUMENT, {"erhcCardNo": CARD}))
    app.ask("createVmcardQRcode", **person())
    assert [app.send(first)["returnCode"] for _ in range(2)] == ["0", CODE["replay"]]
    mixed = second | {name: first[name] for name in ("nonceStr", "timestamp", "headSign")}
    assert app.send(mixed)["returnCode"] == CODE["replay"]
    assert app.send(first | {"headSign": first["headSign"].upper()})["returnCode"] == CODE["replay"]
    assert app.send(second)["returnCode"] == "0"


def test_apps_with_a_constant_nonce_are_told_apart_by_their_bodies(make_service: Callable[..., Any]) -> None:
    app = new_app(make_service(**SETTINGS, do_replay="request"))
    app.head = {"nonceStr": "1234567890"}
    assert app.ask("createVmcardQRcode", **person())["erhcCardNo"] == CARD
    query = app.request("getPersonInfo", **DOCUMENT)
    assert [app.send(query)["returnCode"] for _ in range(2)] == ["0", CODE["replay"]]
    assert app.fails("getActiveQrCode", erhcCardNo=CARD) == "0"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_needs_its_scope(service: Any, method: str) -> None:
    wanted = METHODS[method].scope.value
    app = new_app(service, *({"verify", "codes", "register", "accounts:write", "accounts:read"} - {wanted}))
    answer = app.send(app.request(method))
    assert answer["returnCode"] == CODE["forbidden"]
    assert wanted in answer["returnDesc"]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_says_which_member_is_missing(app: DoApp, method: str) -> None:
    answer = app.send(app.request(method))
    assert answer["returnCode"] == CODE["input"]
    assert any(word in answer["returnDesc"] for word in ("`name`", "erhcCardNo", "qrCode", "idCard", "payInfos"))


def test_other_refusals_have_their_codes(app: DoApp) -> None:
    assert app.fails("dropTables") == CODE["method"]
    assert app.fails("queryIfHasRegistered", idCardTypeCode="01", idCode="电") == CODE["input"]
    assert app.fails("queryIfHasRegistered", idCardTypeCode="01", idCode=NUMBER) == CODE["input"]  # in the clear
    assert app.fails("getPersonInfo", erhcCardNo=CARD) == CODE["not_found"]
    assert app.fails("getPersonInfoByQrCode", qrCode="x", medStepCode="010101", orgCode="H-2") == CODE["forbidden"]
    assert app.fails("queryIfHasRegistered", idCardTypeCode=1, idCode=seal(NUMBER)) == CODE["input"]
    app.ask("createVmcardQRcode", **person())
    assert app.fails("createVmcardQRcode", **person(name=seal("测试"))) == CODE["conflict"]


def test_an_app_has_a_rate(make_service: Callable[..., Any]) -> None:
    app = new_app(make_service(**SETTINGS, caller_rate=1, burst_seconds=2))
    app.service.app.worker.gate._monotonic = lambda: 1000.0
    app.service.app.worker.gate.doors.until = -10
    assert [app.fails("queryIfHasRegistered", **DOCUMENT) for _ in range(3)] == ["0", "0", CODE["too_many"]]


def test_a_body_that_is_no_envelope_is_a_problem_document(app: DoApp) -> None:
    for content, status in ((b"{}", 422), (b"{", 400), (b"\xff", 400), (b"[" * 10_000 + b"]" * 10_000, 422)):
        answer = app.service.post("/api/do", content=content, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("body", [{"n": 1 << 70}, {"n": 1.5}, {"n": {"n": ["电"] * 100}}, {"name": "\u0000"}])
def test_a_strange_body_is_refused(app: DoApp, body: dict[str, Any]) -> None:
    request = app.request("queryIfHasRegistered") | {"body": body}
    request["bodySign"] = sign(body)
    assert app.send(request)["returnCode"] in (CODE["input"], CODE["signature"])


def test_a_body_nested_too_deep_is_refused(app: DoApp) -> None:
    request = json.dumps(app.request("queryIfHasRegistered", n=0)).replace('"n": 0', '"n": ' + "[" * 900 + "]" * 900)
    answer = app.service.post("/api/do", content=request, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 400)


def test_what_was_asked_leaves_no_trace_of_a_person_in_the_log(app: DoApp) -> None:
    app.ask("createVmcardQRcode", **person(phone=seal("13900000000")))
    app.ask("getPersonInfo", **DOCUMENT)
    app.fails("queryIfHasRegistered", idCardTypeCode="01", idCode=NUMBER)
    app.send(app.request("x") | {"appId": NUMBER})
    text = app.service.log.getvalue()
    assert "do_refused" in text
    assert not any(secret in text for secret in (NUMBER, NAME, seal(NUMBER), CARD, MINDEX, SECRET, "13900000000"))


# --- the deployment


def test_without_the_profile_the_path_says_so(make_service: Callable[..., Any]) -> None:
    service = make_service()
    new_app(service)
    answer = service.post("/api/do", DoApp(service).request("queryIfHasRegistered", **DOCUMENT))
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:ehc:problem:not-found")
    assert "profiles" in answer.json()["detail"]


@pytest.mark.parametrize("missing", ["do_versions", "do_empi"])
def test_a_profile_without_a_needed_setting_is_refused_and_it_is_named(missing: str) -> None:
    given = {name: value for name, value in SETTINGS.items() if name != missing}
    with pytest.raises(ConfigError, match=missing):
        Settings(**given)
    with pytest.raises(ConfigError, match=missing):
        msgspec.convert(given, Settings)


def test_a_master_index_may_be_withheld_and_codes_drawn(make_service: Callable[..., Any]) -> None:
    app = new_app(make_service(**(SETTINGS | {"do_empi": "withheld"}), do_qr="image"))
    datas = app.ask("createVmcardQRcode", **person())
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(datas["qrCode"]))))
    assert (datas["empi"], found.text) == ("", f"{CARD}:1")


def test_a_province_has_its_own_return_codes(make_service: Callable[..., Any]) -> None:
    app = new_app(make_service(**SETTINGS, do_codes=("not_found=E-77",)))
    assert app.fails("activateVmcardQRcode", **DOCUMENT) == "E-77"
    assert app.fails("dropTables") == CODE["method"]


def test_every_failure_has_a_code_of_its_own() -> None:
    assert set(CODES) == {"ok", *DO_FAILURES}
    assert len({code for code, _ in CODES.values()}) == len(CODES)


def test_whatever_an_app_signs_has_an_answer_of_the_interface(app: DoApp) -> None:
    app.ask("createVmcardQRcode", **person())
    words = st.sampled_from([CARD, f"{CARD}:1", seal(NUMBER), "01", "2", "20251201", "010101", "", "电", "p-1"])
    values = st.recursive(words | st.integers() | st.booleans() | st.none(), lambda some: st.lists(some, max_size=3))
    names = sorted({name for method in METHODS.values() for name in method.body.__struct_encode_fields__})

    @given(st.sampled_from(sorted(METHODS)), st.dictionaries(st.sampled_from(names), values, max_size=6))
    @settings(max_examples=150, derandomize=True, database=None, phases=[Phase.generate])
    def ask(method: str, body: dict[str, Any]) -> None:
        assert app.send(app.request(method, **body))["returnCode"] in CODE.values()

    ask()
