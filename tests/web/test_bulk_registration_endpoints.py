"""Many people at once over HTTP: in one array, and as NDJSON and CSV of any length."""

import functools
import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from test_callers import bearer

SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
SAMPLE_CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
NDJSON, CSV = "application/x-ndjson", "text/csv"


def passport(i: int, name: str = "TEST PERSON") -> dict[str, str]:
    return {"id_type": "03", "id_number": f"E{i:08}", "name": name}


def bulk(service: Any, media_type: str, content: Any, **headers: str) -> httpx.Response:
    path = "/v1/cards/bulk/" + {NDJSON: "ndjson", CSV: "csv"}[media_type]
    answer: httpx.Response = service.post(path, content=content, headers={"content-type": media_type} | headers)
    return answer


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


# --- one array


def test_a_batch_answers_row_for_row(service: Any) -> None:
    service.register()
    wrong = SAMPLE | {"id_number": "110100201712250061"}
    people = [passport(1), SAMPLE, wrong, passport(1), {"id_type": "03"}, 7, passport(1, "OTHER"), SAMPLE | {"x": 1}]
    answer = service.post("/v1/cards/batch", {"people": people})
    rows = answer.json()["rows"]
    assert answer.status_code == 200
    assert [row["row"] for row in rows] == list(range(8))
    outcomes = ["created", "existing", "refused", "existing", "refused", "refused", "other_name", "refused"]
    assert [row["outcome"] for row in rows] == outcomes
    assert rows[1]["card_id"] == SAMPLE_CARD
    assert rows[0]["card_id"] == rows[3]["card_id"]
    assert (rows[2]["field"], "check character" in rows[2]["reason"]) == ("id_number", True)
    assert ["id_number" in row["reason"] for row in (rows[4], rows[5])] == [True, False]
    assert "card_id" not in rows[6]
    assert service.get(f"/v1/cards/{rows[0]['card_id']}").json()["name"] == "**********N"


def test_an_empty_batch_is_an_empty_answer(service: Any) -> None:
    assert service.post("/v1/cards/batch", {"people": []}).json() == {"rows": []}


def test_a_batch_over_10_000_is_refused_whole(service: Any) -> None:
    answer = service.post("/v1/cards/batch", {"people": [passport(i) for i in range(10_001)]})
    assert (answer.status_code, answer.json()["field"]) == (422, "people")
    assert service.services.account_store.card(SAMPLE_CARD) is None


def test_a_batch_of_10_000_is_registered(service: Any) -> None:
    rows = service.post("/v1/cards/batch", {"people": [passport(i) for i in range(10_000)]}).json()["rows"]
    assert {row["outcome"] for row in rows} == {"created"}
    assert len({row["card_id"] for row in rows}) == 10_000
    again = service.post("/v1/cards/batch", {"people": [passport(9_999)]}).json()["rows"]
    assert again == [rows[-1] | {"row": 0, "outcome": "existing"}]


def test_a_batch_is_charged_to_its_caller_as_the_work_that_it_is(service: Any) -> None:
    key = bearer(service, "bulk-app", "register", rate=4)
    service.app.worker.gate._monotonic = lambda: 1000.0
    small, large = ({"people": [7] * count} for count in (127, 1280))
    sent = [service.post("/v1/cards/batch", body, headers=key).status_code for body in (small, large, small)]
    assert sent == [200, 200, 429]


# --- streams


def test_ndjson_answers_a_line_for_every_line(service: Any) -> None:
    rows = [json.dumps(SAMPLE), "", " ", json.dumps(passport(1)), "{", '{"id_type": "03"', "}", json.dumps(passport(2))]
    found = lines(bulk(service, NDJSON, "\r\n".join(rows)))
    told = [(line["row"], line["outcome"]) for line in found]
    assert told == [(1, "created"), (4, "created"), (5, "refused"), (6, "refused"), (7, "refused"), (8, "created")]
    assert found[0]["card_id"] == SAMPLE_CARD


def test_two_people_on_one_line_are_one_refused_line(service: Any) -> None:
    both = json.dumps(passport(1)) + "," + json.dumps(passport(2))
    half = '{"id_type": "03",\n"id_number": "E1", "name": "TEST PERSON"}'
    found = lines(bulk(service, NDJSON, f"{both}\n{half}\n"))
    assert [line["outcome"] for line in found] == ["refused"] * 3


def test_csv_answers_a_line_for_every_row_by_the_number_an_editor_shows(service: Any) -> None:
    body = "姓名,证件类型,证件号码\n电子健康卡,01,11010020171225006X\n\nTEST PERSON,03\nTEST PERSON,03,E1\n甲,01,1\n"
    found = lines(bulk(service, CSV, "\ufeff" + body))
    told = [(line["row"], line["outcome"], line.get("field")) for line in found]
    assert told == [(2, "created", None), (4, "refused", None), (5, "created", None), (6, "refused", "id_number")]
    assert found[0]["card_id"] == SAMPLE_CARD


def test_a_body_longer_than_a_block_is_registered_to_its_last_row(service: Any) -> None:
    rows = 20_000  # over MOST in one block, and two blocks
    body = "id_type,id_number,name\n" + "".join(f"03,E{i:08},TEST PERSON OF A LONG NAME\n" for i in range(rows))
    body += "03,E1,?\n"
    found = lines(bulk(service, CSV, body))
    assert [line["row"] for line in found] == list(range(2, rows + 3))
    assert [line["outcome"] for line in found[:-1]] == ["created"] * rows
    assert found[-1]["field"] == "name"


def test_what_is_no_csv_of_people_is_a_problem_and_registers_nobody(service: Any) -> None:
    for body, said in [("", "is empty"), ("id_type,id_number\n", "no column name"), ("PK\x03\x04", "Excel workbook")]:
        answer = bulk(service, CSV, body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:ehc:problem:file")
        assert said in answer.json()["detail"]


def test_an_empty_ndjson_body_is_an_empty_answer(service: Any) -> None:
    assert lines(bulk(service, NDJSON, "")) == []


def test_a_line_without_an_end_costs_no_memory_and_is_one_refused_row(service: Any) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * (1 << 16)
        yield b"\n" + json.dumps(SAMPLE).encode()

    found = lines(bulk(service, NDJSON, endless()))
    assert [(line["row"], line["outcome"]) for line in found] == [(1, "refused"), (2, "created")]


def test_another_media_type_is_refused(service: Any) -> None:
    answer = service.post("/v1/cards/bulk/csv", content=b"", headers={"content-type": NDJSON})
    assert answer.status_code == 415


def test_rows_are_stored_before_their_line_is_sent_and_the_rest_is_not_read_before(service: Any) -> None:
    """A sender who stops after the first answer has sent hardly more than was answered."""
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for block in range(40):
            yield "".join(json.dumps(passport(block * 1000 + i)) + "\n" for i in range(1000)).encode()
            sent += 1

    async def talk() -> None:
        messages = aiter(body())

        async def receive() -> dict[str, Any]:
            piece = await anext(messages, None)
            return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] != "http.response.body" or not message["body"]:
                return
            rows = [json.loads(line) for line in message["body"].splitlines()]
            assert all(service.services.accounts.card(row["card_id"]) for row in rows[:: len(rows) // 3])
            answered.append((rows[-1]["row"], sent * 1000))

        headers = [(b"content-type", NDJSON.encode())]
        scope = {"type": "http", "method": "POST", "path": "/v1/cards/bulk/ndjson", "headers": headers}
        await service.app(scope | {"query_string": b"", "http_version": "1.1"}, receive, send)

    answered: list[tuple[int, int]] = []
    anyio.run(functools.partial(talk))
    assert len(answered) > 3
    assert answered[-1][0] == 40_000
    assert all(read - done < 10_000 for done, read in answered)


def test_the_history_names_who_sent_them(service: Any) -> None:
    key = bearer(service, "bulk-app", "register")
    (found,) = lines(bulk(service, NDJSON, json.dumps(SAMPLE), **key))
    accounts = service.services.accounts
    assert [event.by for event in accounts.history(accounts.card(found["card_id"]))] == ["bulk-app"]


@pytest.mark.parametrize("media_type", [NDJSON, CSV])
def test_no_person_s_data_is_logged(service: Any, media_type: str) -> None:
    bulk(service, media_type, "id_type,id_number,name\n01,11010020171225006X,电子健康卡\n01,11010020171225006Y,甲\n")
    logged = service.log.getvalue()
    assert service.log_lines()
    assert SAMPLE_CARD not in logged
    assert "110100" not in logged
