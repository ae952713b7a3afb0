from collections.abc import Callable
from typing import Any

import pytest

from ehc.codes.issuing import IssuedCode
from ehc.errors import Conflict, NotFound
from ehc.model import AccountState

NOW = 1_767_225_600
Rooms = Callable[..., Any]


def test_a_static_code_is_the_card_id_and_1_for_ever(room: Rooms) -> None:
    r = room()
    assert r.issuer.static(r.card.card_id) == IssuedCode(f"{r.card.card_id}:1", None, None, "****卡")


def test_a_dynamic_code_carries_its_expiry_and_is_remembered(room: Rooms) -> None:
    r = room()
    token = r.keys.seal_validity(NOW + 300)
    payload = f"{r.card.card_id}:0:{token}"
    assert r.reason(payload, "010105", NOW) == (4, "not_issued")
    assert r.issuer.dynamic(r.card.card_id, NOW) == IssuedCode(payload, NOW + 300, NOW + 60)
    assert r.reason(payload, "010105", NOW) == (0, "accepted")


def test_a_dynamic_code_carries_its_time_of_issue_where_set_so(room: Rooms) -> None:
    r = room(token_time="issue", validity_seconds=120)
    code = r.issuer.dynamic(r.card.card_id, NOW)
    assert code == IssuedCode(f"{r.card.card_id}:0:{r.keys.seal_validity(NOW)}", NOW + 120, NOW + 60)


def test_a_code_is_never_refreshed_after_it_ended(room: Rooms) -> None:
    r = room(validity_seconds=30)
    assert r.issuer.dynamic(r.card.card_id, NOW).refresh_at == NOW + 30


def test_the_published_token_of_the_published_time(room: Rooms) -> None:
    r = room()
    made = r.issuer.dynamic(r.card.card_id, 1_516_161_003 - 300).payload  # expires 2018-01-17 11:50:03 +08:00
    assert made == (
        "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:0:92FD69141DFE1553A42251E2B0196148"
    )


def test_either_case_of_the_card_id_finds_the_card(room: Rooms) -> None:
    r = room()
    assert r.issuer.static(r.card.card_id.lower()).payload == f"{r.card.card_id}:1"


@pytest.mark.parametrize("kind", ["static", "dynamic"])
def test_an_unknown_card_gets_no_code(room: Rooms, kind: str) -> None:
    with pytest.raises(NotFound):
        issue(room(), kind, "AB" * 32)


@pytest.mark.parametrize("kind", ["static", "dynamic"])
@pytest.mark.parametrize("state", [state for state in AccountState if state is not AccountState.NORMAL])
def test_only_a_card_in_state_normal_gets_a_code(room: Rooms, kind: str, state: AccountState) -> None:
    r = room()
    r.stores.cards.set_state(r.card.card_id, state, NOW)
    with pytest.raises(Conflict, match=state.name):
        issue(r, kind, r.card.card_id)


def issue(r: Any, kind: str, card_id: str) -> IssuedCode:
    return r.issuer.static(card_id) if kind == "static" else r.issuer.dynamic(card_id, NOW)


def test_no_static_code_is_made_where_no_scene_takes_one(room: Rooms) -> None:
    r = room(static_scenes=())
    with pytest.raises(Conflict, match="static_scenes"):
        r.issuer.static(r.card.card_id)
