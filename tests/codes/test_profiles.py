"""Codes of the profiles A and E2, from issuing to the eight steps. N is in test_verification.py."""

from collections.abc import Callable
from typing import Any

import pytest

from ehc.codes.policy import scene_policy
from ehc.config import Settings
from ehc.crypto import CompactKey, make_compact_code
from ehc.errors import ConfigError
from ehc.model import AccountState, Identity, Profile, Reason

NOW = 1_767_225_600
LIFE, TOLERANCE = 300, 60
DISPENSING, PAYMENT = "010103", "010105"
Rooms = Callable[..., Any]
BOTH = pytest.mark.parametrize("profile", [Profile.A, Profile.E2])


@BOTH
def test_a_code_is_accepted_with_its_card_and_its_profile(room: Rooms, profile: Profile) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW, profile)
    found = r.check(code.payload, DISPENSING, NOW)
    assert found.verdict.accepted
    assert (found.card, found.profile) == (r.card.status(), profile)
    assert found.verdict.expiry == code.expires_at == NOW + LIFE


@BOTH
def test_two_codes_of_one_second_differ(room: Rooms, profile: Profile) -> None:
    r = room()
    assert len({r.issuer.dynamic(r.card.card_id, NOW, profile).payload for _ in range(50)}) == 50


@BOTH
def test_the_settings_say_which_profile_is_made(room: Rooms, profile: Profile) -> None:
    r = room(issue_profile=profile.value)
    code = r.issuer.dynamic(r.card.card_id, NOW).payload
    assert r.check(code, DISPENSING, NOW).profile is profile
    assert code.startswith("EHC2:") == (profile is Profile.E2)


@BOTH
def test_step_5_both_ends_of_the_window_are_inside(room: Rooms, profile: Profile) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW, profile).payload
    assert r.reason(code, DISPENSING, NOW + LIFE + TOLERANCE) == (0, "accepted")
    assert r.reason(code, DISPENSING, NOW + LIFE + TOLERANCE + 1) == (5, "expired")
    assert r.reason(code, DISPENSING, NOW - TOLERANCE) == (0, "accepted")
    assert r.reason(code, DISPENSING, NOW - TOLERANCE - 1) == (5, "early")


@BOTH
def test_step_6_a_suspended_card(room: Rooms, profile: Profile) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW, profile).payload
    assert r.reason(code, DISPENSING, NOW) == (0, "accepted")
    r.stores.cards.set_state(r.card.card_id, AccountState.SUSPENDED, NOW)
    assert r.reason(code, DISPENSING, NOW) == (6, "card_state")


@BOTH
def test_step_8_the_second_use_at_another_place(room: Rooms, profile: Profile) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW, profile).payload
    assert r.reason(code, PAYMENT, NOW, "here") == (0, "accepted")
    assert r.reason(code, PAYMENT, NOW, "there") == (8, "replayed")
    assert r.reason(code, PAYMENT, NOW, "here") == (0, "accepted")
    assert r.reason(r.issuer.dynamic(r.card.card_id, NOW, profile).payload, PAYMENT, NOW, "there") == (0, "accepted")


def test_a_card_bound_token_holds_for_its_card_alone(room: Rooms) -> None:
    r = room()
    other = r.registrar.register(Identity("03", "E00000000", "TEST PERSON"), NOW).card
    token = r.issuer.dynamic(r.card.card_id, NOW, Profile.A).payload.split(":")[2]
    assert r.reason(f"{other.card_id}:0:{token}", DISPENSING, NOW) == (4, "forged")


def test_a_compact_code_is_read_in_either_case_and_after_a_scanner_s_line_end(room: Rooms) -> None:
    r = room()
    code = r.issuer.dynamic(r.card.card_id, NOW, Profile.E2).payload
    assert r.reason(code + "\r\n", DISPENSING, NOW) == (0, "accepted")
    assert r.reason("EHC2:" + code[5:-1] + ("0" if code[-1] != "0" else "1"), DISPENSING, NOW)[0] in (2, 4)
    assert r.reason("EHC2:", DISPENSING, NOW) == (1, "length")


def test_a_compact_code_of_an_account_that_nobody_has(room: Rooms) -> None:
    r = room()
    key = CompactKey(bytes.fromhex("11223344556677888877665544332211"), 1)
    code = make_compact_code(key, account=999, issuer=0, serial=1, issued_at=NOW)
    assert r.reason(code, DISPENSING, NOW) == (6, "unknown_card")


def test_a_compact_code_of_a_key_version_that_there_is_not(room: Rooms) -> None:
    r = room()
    code = make_compact_code(CompactKey(bytes(16), 9), account=1, issuer=0, serial=1, issued_at=NOW)
    assert r.reason(code, DISPENSING, NOW) == (3, "key_version")


def test_a_compact_code_until_revoked_can_be_revoked_years_later(room: Rooms) -> None:
    r = room()
    key = CompactKey(bytes.fromhex("11223344556677888877665544332211"), 1)
    code = make_compact_code(key, account=r.card.account, issuer=0, serial=7, issued_at=NOW, ttl=7)
    later = NOW + 3 * 365 * 86_400
    found = r.check(code, DISPENSING, later)
    assert found.verdict.accepted
    assert found.verdict.expiry is None
    question = r.verifier.plan(code, DISPENSING, later).question
    r.stores.hot.revoke(question.card, question.code, question.issued_at, question.until)
    assert r.reason(code, DISPENSING, later) == (6, "revoked")


@pytest.mark.parametrize(
    ("accepted", "profile", "reason"),
    [(("N",), Profile.A, Reason.FORGED), (("N",), Profile.E2, Reason.FOREIGN), (("A", "E2"), Profile.N, Reason.SCENE)],
)
def test_only_profiles_of_the_policy_are_accepted(
    room: Rooms, accepted: tuple[str, ...], profile: Profile, reason: Reason
) -> None:
    r = room(accept_profiles=accepted)
    code = r.issuer.dynamic(r.card.card_id, NOW, profile).payload
    assert r.check(code, DISPENSING, NOW).verdict.reason in (reason, Reason.GRAMMAR, Reason.CHARACTER)


def test_core_scenes_may_ask_for_more_than_the_national_form(room: Rooms) -> None:
    r = room(bound_scenes=(PAYMENT,))
    national, bound = (r.issuer.dynamic(r.card.card_id, NOW, profile).payload for profile in (Profile.N, Profile.A))
    assert r.reason(national, PAYMENT, NOW) == (7, "scene")
    assert r.reason(national, DISPENSING, NOW) == (0, "accepted")
    assert r.reason(bound, PAYMENT, NOW) == (0, "accepted")


def test_scenes_that_nothing_could_serve_in_are_a_setting_to_mend() -> None:
    with pytest.raises(ConfigError, match="bound_scenes"):
        scene_policy(Settings(accept_profiles=("N",), bound_scenes=(PAYMENT,)))


def test_serial_numbers_are_never_given_twice_and_a_crash_skips(room: Rooms) -> None:
    r = room()
    blocks = [r.stores.serials.take(10) for _ in range(3)]
    first = blocks[0]
    assert blocks == [first, first + 10, first + 20]
    code = r.issuer.dynamic(r.card.card_id, NOW, Profile.E2).payload
    again = room().issuer.dynamic(r.card.card_id, NOW, Profile.E2).payload  # another process begins
    serials = [r.keys.check_compact(text.encode(), NOW, 60).code.serial for text in (code, again)]
    assert serials == [first + 30, first + 30 + 4096]
