"""The master index in the console: found masked, tasks compared side by side by whoever claimed them, two who agree."""

import re

import pytest
from desks import HASH, NAMES, PURPOSE, Browser, Desk, text_of

from ehc.access.operator import Operator, Role
from ehc.cards.accounts import Act
from ehc.index.domain import visit_card
from ehc.index.record import new_record

SAMPLE = "11010020171225006X"
NAME = "王晓明"


def put(desk: Desk, local_id: str, number: str = "", **said: str) -> int:
    index = desk.services.index
    domains = index.finder.domains()
    if not any(one.code == "visit-card/H1" for one in domains):
        index.master.add_domain(visit_card("H1", "市一院", 1))
    record = new_record(index.finder.domains(), "visit-card/H1", local_id, said, [("resident-id", number)])
    return index.master.put(record, Act(desk.clock.now, "t", "")).person


def test_a_person_is_found_masked_with_all_numbers_and_each_find_is_a_look(desk: Desk) -> None:
    put(desk, "77", SAMPLE, name=NAME, birth_date="2017-12-25")
    browser = desk.signed_in(Role.SECURITY)
    browser.get("/index")
    by_number = browser.post("/index", by="number", domain="resident-id", value=SAMPLE.lower(), purpose=PURPOSE)
    by_name = browser.post("/index", by="person", name=NAME, birth_date="2017-12-25", purpose=PURPOSE)
    for answer in (by_number, by_name):
        text = " ".join(text_of(answer).split())
        assert "**明" in text
        assert "居民身份证 resident-id" in text
        assert "市一院就诊卡 visit-card/H1" in text
        assert SAMPLE not in text
        assert NAME not in text
    assert [look.what for look in desk.services.looks.looks()] == ["search_index"] * 2
    assert "没有符合条件" in text_of(
        browser.post("/index", by="number", domain="passport", value="E1", purpose=PURPOSE)
    )


@pytest.mark.parametrize(
    "fields", [{"by": "person", "name": NAME}, {"by": "number", "domain": "passport", "value": "护"}]
)
def test_a_search_that_says_too_little_is_refused(desk: Desk, fields: dict[str, str]) -> None:
    browser = desk.signed_in(Role.SECURITY)
    browser.get("/index")
    assert browser.post("/index", purpose=PURPOSE, **fields).status_code == 422


def test_two_readers_compare_and_decide(desk: Desk) -> None:
    one = put(desk, "1", name="周海", birth_date="1990-01-01", phone="13800000001")
    two = put(desk, "2", name="周海", birth_date="1990-02-02", phone="13800000001")
    [task] = desk.services.index.reviewing.queue()
    desk.services.operators.add(Operator("sun.li", Role.SECURITY, desk.clock.now), HASH)
    for name in (NAMES[Role.SECURITY], "sun.li"):
        browser = Browser(desk.app)
        browser.sign_in(name)
        assert f'href="/console/reviews/{task.number}"' in browser.get("/reviews").text
        before = browser.get(f"/reviews/{task.number}")
        assert "周海" not in before.text  # nothing of a person before it is claimed
        shown = browser.follow(browser.post(f"/reviews/{task.number}", act="claim"))
        assert shown.text.count("周海") == 2
        assert {"1990-01-01", "1990-02-02"} <= set(re.findall(r"\d{4}-\d\d-\d\d", shown.text))
        assert "同年" in shown.text
        decided = browser.follow(browser.post(f"/reviews/{task.number}", act="same", reason="本人确认"))
        assert "意见已记录" in decided.text
    assert desk.services.index.finder.person(two).key == one
    looks = [look.purpose for look in desk.services.looks.looks()]
    assert looks == [f"review {task.number}"] * 4
    assert [deed.subject for deed in desk.services.deeds.deeds() if deed.what == "decide_review"][::-1] == [
        f"{act} {task.number}" for act in ("claim", "same", "claim", "same")
    ]
    assert "是否同一人" in text_of(browser.get("/reviews?closed=yes"))


def test_why_a_task_was_opened_is_said_in_the_operator_s_language(desk: Desk) -> None:
    put(desk, "1", SAMPLE, name="周海", birth_date="2017-12-25")
    put(desk, "2", SAMPLE, name="李四", birth_date="2017-12-25")
    put(desk, "1", SAMPLE, name="王五", sex="1", birth_date="2017-12-26")
    put(desk, "3", "110100201712250158", name="周海", birth_date="2017-12-25", phone="13800000001")
    put(desk, "4", SAMPLE, name="周海", birth_date="2017-12-25", phone="13800000001")
    put(desk, "5", SAMPLE, name="周海", birth_date="2017-12-25")
    put(desk, "5", "110100201712250158", name="周海", birth_date="2017-12-25")
    browser = desk.signed_in(Role.SECURITY)

    def shown(path: str) -> str:
        return " ".join(text_of(browser.get(path)).split())

    number = "居民身份证 resident-id"
    for said in (
        f"标识相同： {number}",
        "更改： 姓名、 出生日期",
        f"标识冲突： {number}",
        f"与本人其他记录冲突： {number}",
    ):
        assert said in shown("/reviews")
    assert "更改： 姓名、 出生日期" in shown("/reviews/2")
    browser.post("/language", language="en", back="/console/reviews")
    assert "Changes Name, Birth date" in shown("/reviews")
    assert "Different numbers: resident-id" in shown("/reviews")


def test_a_vote_without_a_claim_or_a_reason_is_refused(desk: Desk) -> None:
    put(desk, "1", name="周海", birth_date="1990-01-01", phone="13800000001")
    put(desk, "2", name="周海", birth_date="1990-02-02", phone="13800000001")
    browser = desk.signed_in(Role.SECURITY)
    browser.get("/reviews/1")
    assert browser.post("/reviews/1", act="same", reason="本人确认").status_code == 409
    browser.post("/reviews/1", act="claim")
    assert browser.post("/reviews/1", act="same", reason="x").status_code == 422
    assert browser.get("/reviews/99").status_code == 404
