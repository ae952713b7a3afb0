"""The eight steps, each refusing on its own, in their order, with their numbers (ehc.codes.verification)."""

import asyncio
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

from ehc.codes.policy import ScenePolicy
from ehc.codes.reading import CodeReader, token_code
from ehc.codes.verification import Verifier
from ehc.crypto import KeyHandle, make_token
from ehc.errors import KeyUnavailable, Refused
from ehc.machine.software import SoftwareMachine
from ehc.model import STEPS, AccountState, Identity, Profile, Reason, Verdict
from ehc.ports import HotState, KeyService

NOW = 1_767_225_600
LIFE, TOLERANCE = 300, 60
DIAGNOSIS, DISPENSING, PAYMENT = "010102", "010103", "010105"  # 诊断 static too, 取药 dynamic, 收费 once
UNKNOWN = "AB" * 32
Rooms = Callable[..., Any]


def test_a_fresh_dynamic_code_is_accepted_with_its_card(room: Rooms) -> None:
    r = room()
    found = r.check(r.issuer.dynamic(r.card.card_id, NOW).payload, PAYMENT, NOW)
    assert found.verdict.accepted
    assert found.verdict.step == 0
    assert found.verdict.detail == ""
    assert found.verdict.expiry == NOW + LIFE
    assert found.card == r.card.status()


def test_a_static_code_is_accepted_where_static_codes_serve(room: Rooms) -> None:
    r = room()
    found = r.check(r.issuer.static(r.card.card_id).payload, DIAGNOSIS, NOW)
    assert found.verdict.accepted
    assert found.verdict.detail == ""
    assert found.card == r.card.status()


@pytest.mark.parametrize("text", [b"", b"\r\n", b"A" * 257])
def test_step_1_length(room: Rooms, text: bytes) -> None:
    assert room().reason(text, DIAGNOSIS, NOW) == (1, "length")


@pytest.mark.parametrize("text", ["电子健康卡", "98FF 0", "\ud800", b"\xff"])
def test_step_1_alphabet(room: Rooms, text: str | bytes) -> None:
    assert room().reason(text, DIAGNOSIS, NOW) == (1, "character")


def test_step_2_grammar(room: Rooms) -> None:
    r = room()
    found = r.check(r.card.card_id + ":7", DIAGNOSIS, NOW)
    assert (found.verdict.step, found.verdict.reason) == (2, Reason.GRAMMAR)
    assert found.verdict.offset == 65
    assert found.card is None


@pytest.mark.parametrize(
    ("text", "named"), [("https://example.org/card", "URL"), ("1" * 28, "医保电子凭证"), ("130000000000000000", "微信")]
)
def test_step_2_says_whose_code_it_is(room: Rooms, text: str, named: str) -> None:
    verdict = room().check(text, DIAGNOSIS, NOW).verdict
    assert (verdict.step, verdict.reason) == (2, Reason.FOREIGN)
    assert named in verdict.detail


class LaterVersionOnly:
    """A machine as the keys issue will bring: it knows that a token was made under a version that may not be used."""

    def __init__(self, inner: KeyService) -> None:
        self._inner = inner

    def check_token(self, payload: str | bytes, now: int, window: Any, profiles: Any) -> Verdict:
        verdict = self._inner.check_token(payload, now, window, profiles)
        return Verdict(Reason.KEY_VERSION, verdict.payload)


def test_step_3_key_version(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    r.verifier._reader = CodeReader(LaterVersionOnly(r.keys), r.verifier._policy)
    assert r.reason(code, DIAGNOSIS, NOW) == (3, "key_version")


def test_step_4_a_token_under_another_key(room: Rooms) -> None:
    r = room()
    token = make_token(NOW + LIFE, bytes(16))
    r.remember(r.card.card_id, token, NOW, NOW + LIFE)
    assert r.reason(f"{r.card.card_id}:0:{token}", DIAGNOSIS, NOW) == (4, "forged")


def test_step_4_a_token_that_was_not_issued(room: Rooms) -> None:
    r = room()
    code = f"{r.card.card_id}:0:{r.keys.seal_validity(NOW + LIFE)}"
    assert r.reason(code, DIAGNOSIS, NOW) == (4, "not_issued")
    assert room(accept_unissued=True).check(code, DIAGNOSIS, NOW).verdict.accepted


def test_step_4_a_token_issued_for_another_card(room: Rooms) -> None:
    r = room()
    other = r.registrar.register(Identity("03", "E00000000", "TEST PERSON"), NOW).card
    token = r.issuer.dynamic(r.card.card_id, NOW).payload.split(":")[2]
    assert r.reason(f"{other.card_id}:0:{token}", DIAGNOSIS, NOW) == (4, "not_issued")


def test_step_5_both_ends_of_the_window_are_inside(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert r.reason(code, DISPENSING, NOW - TOLERANCE) == (0, "accepted")
    assert r.reason(code, DISPENSING, NOW + LIFE + TOLERANCE) == (0, "accepted")
    assert r.reason(code, DISPENSING, NOW - TOLERANCE - 1) == (5, "early")
    assert r.reason(code, DISPENSING, NOW + LIFE + TOLERANCE + 1) == (5, "expired")


def test_step_5_with_tokens_that_carry_their_time_of_issue(room: Rooms) -> None:
    r = room(token_time="issue", validity_seconds=100, tolerance_seconds=0)
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert code.endswith(r.keys.seal_validity(NOW))
    assert r.check(code, DISPENSING, NOW + 100).verdict.expiry == NOW + 100
    assert r.reason(code, DISPENSING, NOW - 1) == (5, "early")
    assert r.reason(code, DISPENSING, NOW + 100) == (0, "accepted")
    assert r.reason(code, DISPENSING, NOW + 101) == (5, "expired")


@pytest.mark.parametrize("code", [f"{UNKNOWN}:1", f"{UNKNOWN}:9", UNKNOWN])
def test_step_6_a_card_that_nobody_has(room: Rooms, code: str) -> None:
    found = room().check(code, DIAGNOSIS, NOW)
    assert (found.verdict.step, found.verdict.reason) == (6, Reason.UNKNOWN_CARD)
    assert found.card is None


@pytest.mark.parametrize("state", [state for state in AccountState if state is not AccountState.NORMAL])
def test_step_6_a_card_in_any_state_but_normal(room: Rooms, state: AccountState) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    changed = r.stores.cards.set_state(r.card.card_id, state, NOW)
    found = r.check(code, DIAGNOSIS, NOW)
    assert (found.verdict.step, found.verdict.reason) == (6, Reason.CARD_STATE)
    assert found.card == changed.status()


@pytest.mark.parametrize("form", ["{}:1", "{}:9", "{}", "{}:1::ORG", "85:{}:1"])
def test_step_7_codes_without_a_token_serve_in_static_scenes_only(room: Rooms, form: str) -> None:
    r = room()
    code = form.format(r.card.card_id)
    assert r.reason(code, DIAGNOSIS, NOW) == (0, "accepted")
    assert r.reason(code, DISPENSING, NOW) == (7, "scene")
    assert r.reason(code, PAYMENT, NOW) == (7, "scene")


@pytest.mark.parametrize("scene", ["", "1", "0101050", "01010x", "０１０１０５", "010105\n"])
def test_step_7_a_scene_that_is_none_takes_no_code(room: Rooms, scene: str) -> None:
    r = room()
    assert r.reason(r.issuer.dynamic(r.card.card_id, NOW).payload, scene, NOW) == (7, "scene")


def test_step_7_a_place_that_is_disabled_takes_no_code_and_uses_none_up(room: Rooms) -> None:
    r = room()
    dynamic = r.issuer.dynamic(r.card.card_id, NOW).payload
    for code, scene in ((r.issuer.static(r.card.card_id).payload, DIAGNOSIS), (dynamic, PAYMENT)):
        found = r.check(code, scene, NOW, "H-1 t1", disabled=True)
        assert (found.verdict.step, found.verdict.reason) == (7, Reason.PLACE)
        assert "disabled" in found.verdict.detail
        assert r.check(code, scene, NOW, "H-1 t2").verdict.accepted
    with pytest.raises(Refused):
        asyncio.run(r.verifier.verify(dynamic, PAYMENT, NOW, "H-1 t2", disabled=True))


def test_step_8_the_second_use_in_a_scene_of_single_use(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert r.reason(code, PAYMENT, NOW) == (0, "accepted")
    assert r.reason(code, PAYMENT, NOW) == (8, "replayed")
    assert r.reason(code.lower() + "\r\n", PAYMENT, NOW) == (8, "replayed")


def test_step_8_holds_as_long_as_the_window_is_open(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert r.reason(code, PAYMENT, NOW) == (0, "accepted")
    assert r.reason(code, PAYMENT, NOW + LIFE + TOLERANCE) == (8, "replayed")
    assert r.reason(code, PAYMENT, NOW + LIFE + TOLERANCE + 1) == (5, "expired")


def test_step_8_lets_other_scenes_check_again(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    for scene in (PAYMENT, DISPENSING, DISPENSING):
        assert r.reason(code, scene, NOW) == (0, "accepted")


def test_step_8_is_shared_by_all_scenes_of_single_use(room: Rooms) -> None:
    r = room(single_use_scenes=(PAYMENT, DISPENSING))
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert r.reason(code, PAYMENT, NOW) == (0, "accepted")
    assert r.reason(code, DISPENSING, NOW) == (8, "replayed")


def test_step_8_tells_codes_apart_by_card_and_by_validity(room: Rooms) -> None:
    r = room()
    other = r.registrar.register(Identity("03", "E00000000", "TEST PERSON"), NOW).card
    first, same_second = (r.issuer.dynamic(card.card_id, NOW).payload for card in (r.card, other))
    next_second = r.issuer.dynamic(r.card.card_id, NOW + 1).payload
    assert first.split(":")[2] == same_second.split(":")[2]
    for code in (first, same_second, next_second):
        assert r.reason(code, PAYMENT, NOW + 1) == (0, "accepted")


def test_step_8_lets_the_same_place_check_again_in_the_same_visit(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    first, again = (r.check(code, PAYMENT, NOW, "hospital window-1") for _ in range(2))
    assert first.verdict.accepted
    assert again == first
    assert first.visit is not None
    assert r.reason(code, PAYMENT, NOW, "hospital window-2") == (8, "replayed")
    assert r.reason(code, PAYMENT, NOW) == (8, "replayed")
    other = r.check(r.issuer.dynamic(r.card.card_id, NOW + 1).payload, PAYMENT, NOW, "hospital window-1")
    assert other.visit not in (None, first.visit)


def test_there_is_no_visit_where_nothing_is_claimed(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert r.check(code, DISPENSING, NOW, "hospital window-1").visit is None
    assert r.check(code, PAYMENT, NOW).visit is None


def test_step_6_a_revoked_code_and_codes_from_before_a_time(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert r.reason(code, DISPENSING, NOW) == (0, "accepted")
    token = code.split(":")[2]
    r.stores.hot.revoke(r.card.card_id, token_code(r.card.card_id, token, bound=False), NOW, NOW + LIFE)
    found = r.check(code, DISPENSING, NOW)
    assert (found.verdict.step, found.verdict.reason) == (6, Reason.REVOKED)
    assert "revoked" in found.verdict.detail
    assert found.card == r.card.status()
    assert r.reason(code, PAYMENT, NOW) == (6, "revoked")


def test_an_acceptance_says_what_kind_of_code_it_was(room: Rooms) -> None:
    r = room()
    dynamic = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert r.check(dynamic, DIAGNOSIS, NOW).profile is Profile.N
    assert r.check(r.card.card_id, DIAGNOSIS, NOW).profile is Profile.STATIC
    assert r.check(r.card.card_id, PAYMENT, NOW).profile is None


def test_a_refusal_uses_nothing_up(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    r.stores.cards.set_state(r.card.card_id, AccountState.CANCELLED, NOW)
    assert r.reason(code, PAYMENT, NOW) == (6, "card_state")
    r.stores.cards.set_state(r.card.card_id, AccountState.NORMAL, NOW)
    assert r.reason(code, PAYMENT, NOW - TOLERANCE - 1) == (5, "early")
    assert r.reason(code, PAYMENT, NOW) == (0, "accepted")


def test_the_first_step_that_refuses_is_the_one_named(room: Rooms) -> None:
    """From all faults together, taken away one after the other, the steps come up in their order."""
    r = room(single_use_scenes=(PAYMENT, "01010"))
    late, card_id = NOW + LIFE + TOLERANCE + 1, r.card.card_id
    code = r.issuer.dynamic(card_id, NOW).payload
    sealed = r.keys.seal_validity(NOW + LIFE)
    assert r.check(code, PAYMENT, NOW).verdict.accepted
    r.stores.cards.set_state(card_id, AccountState.CANCELLED, NOW)
    r.remember(UNKNOWN, sealed, NOW, NOW + LIFE)
    steps = [
        r.reason(f"{UNKNOWN}:7:{sealed} ", "01010", late),
        r.reason(f"{UNKNOWN}:7:{sealed}", "01010", late),
        r.reason(f"{'CD' * 32}:0:{'0' * 32}", "01010", late),
        r.reason(f"{'CD' * 32}:0:{sealed}", "01010", late),
        r.reason(f"{UNKNOWN}:0:{sealed}", "01010", late),
        r.reason(f"{UNKNOWN}:0:{sealed}", "01010", NOW),
        r.reason(code, "01010", NOW),
    ]
    r.stores.cards.set_state(card_id, AccountState.NORMAL, NOW)
    steps += [r.reason(code, "01010", NOW), r.reason(code, PAYMENT, NOW)]
    assert steps == [
        (1, "character"),
        (2, "grammar"),
        (4, "forged"),
        (4, "not_issued"),
        (5, "expired"),
        (6, "unknown_card"),
        (6, "card_state"),
        (7, "scene"),
        (8, "replayed"),
    ]


def test_a_deactivated_key_still_checks_what_it_made(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    old, new = KeyHandle(bytes.fromhex("11223344556677888877665544332211"), "protection_key", 1), bytes(range(16))
    security = KeyHandle(bytes(16), "security_key", 1)
    r.verifier._reader = CodeReader(
        SoftwareMachine(security, KeyHandle(new, "protection_key", 2), [old]), r.verifier._policy
    )
    assert r.reason(code, PAYMENT, NOW) == (0, "accepted")
    r.verifier._reader = CodeReader(SoftwareMachine(security, KeyHandle(new, "protection_key", 2)), r.verifier._policy)
    assert r.reason(code, PAYMENT, NOW) == (4, "forged")


def test_without_a_key_nothing_is_accepted(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    r.verifier._reader = CodeReader(SoftwareMachine(None, None), r.verifier._policy)
    with pytest.raises(KeyUnavailable):
        r.check(code, PAYMENT, NOW)


def test_verify_raises_what_check_returns(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert asyncio.run(r.verifier.verify(code, PAYMENT, NOW)).card == r.card.status()
    with pytest.raises(Refused) as refused:
        asyncio.run(r.verifier.verify(code, PAYMENT, NOW))
    assert refused.value.verdict.reason is Reason.REPLAYED


def test_the_verifier_knows_ports_and_no_adapter() -> None:
    assert get_type_hints(Verifier.__init__) == {
        "keys": KeyService,
        "hot": HotState,
        "policy": ScenePolicy,
        "return": type(None),
    }


def test_a_refusal_says_what_it_found(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    r.check(code, PAYMENT, NOW)
    unissued = f"{r.card.card_id}:0:{r.keys.seal_validity(NOW)}"
    found = [r.check(text, PAYMENT, NOW).verdict for text in (code, unissued, f"{UNKNOWN}:1", r.card.card_id)]
    r.stores.cards.set_state(r.card.card_id, AccountState.PENDING, NOW)
    found.append(r.check(r.card.card_id, PAYMENT, NOW).verdict)
    details = {verdict.reason.value: verdict.detail for verdict in found}
    assert set(details) == {"replayed", "not_issued", "unknown_card", "scene", "card_state"}
    assert "has been used" in details["replayed"]
    assert "not one that this system issued" in details["not_issued"]
    assert "no card" in details["unknown_card"]
    assert "not accepted in this scene" in details["scene"]
    assert "not in state NORMAL" in details["card_state"]
    assert [STEPS[verdict.reason] for verdict in found] == [8, 4, 6, 7, 6]
