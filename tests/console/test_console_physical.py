"""Physical cards in the console: found by number with a purpose, the holder masked, each look recorded."""

import pytest
from desks import PURPOSE, Desk, text_of
from physical import NOW, card, number, record

from ehc.access.operator import Role
from ehc.cards.accounts import Act
from ehc.registry.card import CardEventKind, Taking
from ehc.registry.registry import columns


def find(desk: Desk, text: str, purpose: str = PURPOSE, role: Role = Role.SECURITY):  # type: ignore[no-untyped-def]
    return desk.signed_in(role).post("/physical-cards", number=text, purpose=purpose)


@pytest.fixture
def kept(desk: Desk) -> Desk:
    registry = desk.services.registry
    registry.intake.take(*columns([record(1)]), Taking(NOW, CardEventKind.IMPORTED, "test"))
    registry.change_state(number(1), "lost", Act(NOW, "desk", "lost on a bus"))
    return desk


def test_a_physical_card_is_found_with_its_history_and_its_holder_masked(kept: Desk) -> None:
    answer = find(kept, number(1).lower())
    said = text_of(answer)
    assert all(word in said for word in ("挂失", "批量导入", "状态变更", "lost on a bus", number(1)))
    assert card(1).id_number not in answer.text
    assert card(1).name not in answer.text
    account = kept.services.registry.card(number(1)).account
    assert [(look.what, look.account, look.purpose) for look in kept.services.looks.looks()] == [
        ("find_physical", account, PURPOSE)
    ]


def test_where_there_is_none_that_is_said_and_the_look_recorded(kept: Desk) -> None:
    assert "没有此卡号的实体卡" in text_of(find(kept, "999"))
    assert [look.account for look in kept.services.looks.looks()] == [None]


@pytest.mark.parametrize(("text", "purpose", "says"), [("4-4", PURPOSE, "卡号不正确"), (number(1), "", "说明查询目的")])
def test_what_cannot_be_searched_for_shows_nothing(kept: Desk, text: str, purpose: str, says: str) -> None:
    answer = find(kept, text, purpose)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert list(kept.services.looks.looks()) == []


def test_the_account_says_where_it_comes_from(kept: Desk) -> None:
    browser = kept.signed_in(Role.SECURITY)
    account = kept.services.registry.card(number(1)).account
    electronic = kept.services.account_store.card_of_account(account)
    browser.get("/people")
    shown = browser.follow(browser.post(f"/people/{electronic.card_id}/open", purpose=PURPOSE))
    assert "由实体卡批量生成" in text_of(shown)
