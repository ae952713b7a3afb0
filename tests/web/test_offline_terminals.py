"""Signed codes (E3), end to end: issued, checked online, on terminals without network by the signed list, uploaded."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_verify_batch import CARD, HOSPITAL, check, upload, words

from ehc.codes.offline import OfflineTerminal, SignedList, open_list
from ehc.config import Settings
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import ConfigError, InputError
from ehc.keys.keyring import Purpose
from ehc.model import Reason
from ehc.wiring.keys import keyring_folder

CONSULTATION, PAYMENT = "010102", "010105"
SIGNER = bytes(range(1, 33))
SIGNED = {"accept_profiles": ("N", "E3"), "issue_profile": "E3", "issuer": 440100, "node": 1}
OFFLINE = SIGNED | {"offline_scenes": (CONSULTATION, PAYMENT), "single_use_scenes": (PAYMENT,)}
Make = Callable[..., Any]


def add_signing_key(home: Path, raw: bytes) -> bytes:
    """Its public key."""
    with keyring_folder(Settings(home=str(home))).change() as keyring:
        return keyring.add(Purpose.SIGNING_KEY, bytearray(raw), 0).public_key


@pytest.fixture
def signer(make_service: Make, tmp_path: Path) -> bytes:
    """The public key of the keyring's signing key."""
    assert make_service
    return add_signing_key(tmp_path, SIGNER)


@pytest.fixture
def at_work(signer: bytes, make_service: Make) -> Any:
    assert signer
    service = make_service(**OFFLINE)
    service.register()
    service.post("/v1/institutions", HOSPITAL)
    return service


def fetched(service: Any) -> SignedList:
    answer = service.get("/v1/offline-list")
    assert answer.status_code == 200, answer.text
    return SignedList(**answer.json())


def terminal(service: Any, signer: bytes) -> OfflineTerminal:
    return OfflineTerminal(open_list(fetched(service), [signer]))


def test_a_signed_code_is_issued_and_verified_online(at_work: Any) -> None:
    code = at_work.code(CARD)["payload"]
    assert len(code) == 149
    found = at_work.verify(code, CONSULTATION)
    assert (found["accepted"], found["profile"], found["card_id"], found["name"]) == (True, "E3", CARD, "****卡")
    assert at_work.verify(code, PAYMENT)["accepted"]
    assert at_work.verify(code, PAYMENT)["reason"] == "replayed"
    at_work.clock.now += 1000
    assert at_work.verify(code, CONSULTATION)["reason"] == "invalid"


def test_a_changed_signed_code_is_refused_online_and_offline(at_work: Any, signer: bytes) -> None:
    code = at_work.code(CARD)["payload"]
    place = terminal(at_work, signer)
    for i in (20, 60, 100, 148):
        other = code[:i] + ("1" if code[i] != "1" else "2") + code[i + 1 :]
        assert at_work.verify(other, CONSULTATION)["reason"] in ("invalid", "grammar")
        assert not place.check(other, CONSULTATION, at_work.clock.now)


def test_a_terminal_without_network_goes_the_same_steps(at_work: Any, signer: bytes) -> None:
    code, now = at_work.code(CARD)["payload"], at_work.clock.now
    place = terminal(at_work, signer)
    assert place.check(code, CONSULTATION, now).accepted
    assert place.check(code, PAYMENT, now).accepted
    steps = [
        (code[:-1], CONSULTATION, now, Reason.LENGTH),
        (code.replace("EHC3", "EHC2"), CONSULTATION, now, Reason.GRAMMAR),
        (code, CONSULTATION, now + 1000, Reason.EXPIRED),
        (code, CONSULTATION, now - 61, Reason.EARLY),
        (code, "010199", now, Reason.SCENE),
        (code, PAYMENT, now, Reason.REPLAYED),
    ]
    for text, scene, at, reason in steps:
        assert place.check(text, scene, at).reason is reason
    with pytest.raises(InputError, match="over"):
        place.check(code, CONSULTATION, now + 86_400 + 61)


def test_a_code_that_two_terminals_accepted_is_reported_with_who_was_first(at_work: Any, signer: bytes) -> None:
    code, now = at_work.code(CARD)["payload"], at_work.clock.now
    one, two = terminal(at_work, signer), terminal(at_work, signer)
    assert one.check(code, PAYMENT, now + 10).accepted
    assert two.check(code, PAYMENT, now + 20).accepted  # it cannot know
    at_work.clock.now += 3600
    assert words(upload(at_work, check(code, now + 10), terminal="t1")) == ["accepted"]
    found = upload(at_work, check(code, now + 20), terminal="t2")
    assert (words(found), found["conflicts"]) == (["replayed"], 1)
    assert (found["rows"][0]["first"]["institution"], found["rows"][0]["first"]["terminal"]) == ("H-1", "t1")


def test_what_is_revoked_stands_in_the_next_list(at_work: Any, signer: bytes) -> None:
    code, other = at_work.code(CARD)["payload"], at_work.code(CARD)["payload"]
    before = terminal(at_work, signer)
    assert at_work.post("/v1/codes/revoke", {"payload": code}).status_code == 200
    now, after = at_work.clock.now, terminal(at_work, signer)
    assert before.check(code, CONSULTATION, now).accepted  # until it has fetched another one
    assert after.check(code, CONSULTATION, now).reason is Reason.REVOKED
    assert after.check(other, CONSULTATION, now).accepted
    at_work.post(f"/v1/cards/{CARD}/suspend", {"reason": "lost"})
    assert terminal(at_work, signer).check(other, CONSULTATION, now).reason is Reason.REVOKED
    at_work.post(f"/v1/cards/{CARD}/resume", {"reason": "found"})
    assert terminal(at_work, signer).check(other, CONSULTATION, now).accepted
    at_work.clock.now += 5
    at_work.post(f"/v1/cards/{CARD}/revoke-codes", {"reason": "phone stolen"})
    at_work.clock.now += 5
    fresh = at_work.code(CARD)["payload"]
    latest = terminal(at_work, signer)
    assert latest.check(other, CONSULTATION, at_work.clock.now).reason is Reason.REVOKED
    assert latest.check(fresh, CONSULTATION, at_work.clock.now).accepted


def test_a_list_counts_only_as_it_was_signed_by_a_key_that_is_trusted(at_work: Any, signer: bytes) -> None:
    signed = fetched(at_work)
    stranger = bytes(PrivateKey.generate().public_key)
    with pytest.raises(InputError, match="no key that this terminal trusts"):
        open_list(signed, [stranger])
    more = signed.list.replace(PAYMENT, "010103")
    with pytest.raises(InputError, match="no key"):
        open_list(SignedList(more, signed.key_version, signed.signature), [signer])
    with pytest.raises(InputError):
        open_list(SignedList(signed.list, signed.key_version, "no hex"), [signer])
    document = json.loads(signed.list)
    assert (document["issuer"], document["keys"]) == (440100, {"1": signer.hex().upper()})
    assert CARD not in signed.list


def test_another_signing_key_comes_with_the_list_that_the_old_one_signs(
    signer: bytes, make_service: Make, tmp_path: Path
) -> None:
    old = make_service(**OFFLINE)
    old.register()
    code = old.code(CARD)["payload"]
    second = add_signing_key(tmp_path, bytes(range(2, 34)))
    new = make_service(**OFFLINE)
    opened = open_list(fetched(new), [signer, second])
    assert set(opened.keys) == {1, 2}
    place = OfflineTerminal(opened)
    for text in (code, new.code(CARD)["payload"]):
        assert place.check(text, CONSULTATION, new.clock.now).accepted
        assert new.verify(text, CONSULTATION)["accepted"]


def test_codes_of_another_issuer_are_none_of_this_list(at_work: Any, signer: bytes, make_service: Make) -> None:
    other = make_service(**OFFLINE | {"issuer": 510100})
    code = other.code(CARD)["payload"]
    assert terminal(at_work, signer).check(code, CONSULTATION, at_work.clock.now).reason is Reason.KEY_VERSION


def test_without_a_scene_or_a_signing_key_it_says_what_is_missing(make_service: Make) -> None:
    answer = make_service(**SIGNED).get("/v1/offline-list")
    assert (answer.status_code, "offline_scenes" in answer.json()["detail"]) == (409, True)
    answer = make_service(**OFFLINE).get("/v1/offline-list")
    assert answer.status_code == 503
    with pytest.raises(ConfigError, match="accept_profiles"):
        make_service(offline_scenes=(CONSULTATION,))


def test_signed_codes_are_refused_where_policy_does_not_take_them(at_work: Any, make_service: Make) -> None:
    code = at_work.code(CARD)["payload"]
    assert not make_service(accept_profiles=("N", "A", "E2")).verify(code, CONSULTATION)["accepted"]
