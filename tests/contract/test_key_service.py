"""What every crypto machine (ports.KeyService) does. An implementation joins by one more line in MACHINES.

A machine is made of `Keys`: hex keys by version, and which version of each purpose is active.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from vectors import load

from ehc.crypto import Batch, KeyHandle, Window
from ehc.errors import KeyUnavailable
from ehc.machine.software import SoftwareMachine
from ehc.model import Reason
from ehc.ports import KeyService

IDENTIFIERS, TOKENS = load("identifiers"), load("tokens_n")
ROOT, PROTECTION = IDENTIFIERS["security_key"], TOKENS["protection_key"]
OTHER, THIRD = "00112233445566778899AABBCCDDEEFF", "FFEEDDCCBBAA99887766554433221100"
CARD = IDENTIFIERS["case"][0]["card_id"]
TIME = int(TOKENS["case"][0]["time"].timestamp())
TOKEN = TOKENS["case"][0]["token"]
WINDOW = Window(tolerance=60, validity=300)


@dataclass
class Keys:
    security: dict[int, str] = field(default_factory=lambda: {1: ROOT})
    protection: dict[int, str] = field(default_factory=lambda: {1: PROTECTION})
    active_security: int | None = 1
    active_protection: int | None = 1


def software(keys: Keys) -> KeyService:
    def handle(purpose: str, versions: dict[int, str], version: int | None) -> KeyHandle | None:
        return None if version is None else KeyHandle(bytes.fromhex(versions[version]), purpose, version)

    older = [v for v in keys.protection if v != keys.active_protection]
    return SoftwareMachine(
        handle("security_key", keys.security, keys.active_security),
        handle("protection_key", keys.protection, keys.active_protection),
        [handle("protection_key", keys.protection, v) for v in older],
    )


MACHINES: dict[str, Callable[[Keys], KeyService]] = {"software": software}


@pytest.fixture(params=MACHINES.values(), ids=MACHINES)
def machine_of(request) -> Callable[[Keys], KeyService]:
    return request.param


@pytest.fixture
def machine(machine_of) -> KeyService:
    return machine_of(Keys())


def payload(token: str) -> bytes:
    return f"{CARD}:0:{token}".encode()


def test_card_ids_are_the_known_answers(machine):
    cases = IDENTIFIERS["case"]
    derived = machine.derive_batch(Batch.pack([case["person"] for case in cases]))
    assert derived.errors == ()
    assert derived.hex().card_id == [case["card_id"] for case in cases]
    for case, mindex in zip(cases, derived.hex().mindex, strict=True):
        assert mindex == case.get("mindex", mindex)


def test_minimal_padding_is_passed_on(machine):
    passport = IDENTIFIERS["case"][3]
    derived = machine.derive_batch(Batch.pack([passport["person"]]), padding="minimal")
    assert derived.hex().card_id == [passport["card_id"][:32]]


def test_a_bad_row_is_named_and_the_others_are_done(machine):
    good = IDENTIFIERS["case"][0]
    derived = machine.derive_batch(Batch.pack([("01", "1" * 31, "甲"), good["person"]]))
    assert [error.row for error in derived.errors] == [0]
    assert derived.hex().card_id == ["", good["card_id"]]


def test_card_ids_are_made_under_the_active_version(machine_of):
    machine = machine_of(Keys(security={1: OTHER, 2: ROOT}, active_security=2))
    case = IDENTIFIERS["case"][0]
    assert machine.security_key_version == 2
    assert machine.derive_batch(Batch.pack([case["person"]])).hex().card_id == [case["card_id"]]


def test_a_validity_token_is_the_known_answer(machine):
    when = datetime.fromisoformat("2018-01-17T11:50:03+08:00")
    assert machine.seal_validity(int(when.timestamp())) == "92FD69141DFE1553A42251E2B0196148" == TOKEN


def test_tokens_are_made_under_the_active_version(machine_of):
    machine = machine_of(Keys(protection={1: OTHER, 2: PROTECTION}, active_protection=2))
    assert machine.seal_validity(TIME) == TOKEN


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (TIME + 61, Reason.EXPIRED),
        (TIME + 60, Reason.ACCEPTED),
        (TIME, Reason.ACCEPTED),
        (TIME - 360, Reason.ACCEPTED),
        (TIME - 361, Reason.EARLY),
    ],
)
def test_a_token_is_accepted_in_its_window(machine, now, reason):
    verdict = machine.check_token(payload(TOKEN), now, WINDOW)
    assert verdict.reason is reason
    assert (verdict.expiry, verdict.payload.card_id, verdict.payload.token) == (TIME, CARD, TOKEN)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (payload("00" * 16), Reason.FORGED),
        (f"{CARD}:1".encode(), Reason.NO_TOKEN),
        (b"https://example.org/", Reason.FOREIGN),
        (CARD.encode() + b":0:", Reason.GRAMMAR),
        (b"", Reason.LENGTH),
    ],
)
@pytest.mark.parametrize("versions", [{1: PROTECTION}, {1: OTHER, 2: PROTECTION, 3: THIRD}], ids=["one key", "three"])
def test_what_is_no_authentic_token_is_refused_alike_under_one_key_and_many(machine_of, versions, text, reason):
    machine = machine_of(Keys(protection=versions, active_protection=max(versions)))
    verdict = machine.check_token(text, TIME, WINDOW)
    assert verdict.reason is reason
    assert verdict.expiry is None


@pytest.mark.parametrize("made_under", [1, 2, 3])
def test_older_protection_keys_still_check_what_they_made(machine_of, made_under):
    versions = {1: OTHER, 2: PROTECTION, 3: THIRD}
    token = machine_of(Keys(protection=versions, active_protection=made_under)).seal_validity(TIME)
    machine = machine_of(Keys(protection=versions, active_protection=3))
    for now, reason in ((TIME, Reason.ACCEPTED), (TIME + 61, Reason.EXPIRED), (TIME - 361, Reason.EARLY)):
        assert machine.check_token(payload(token), now, WINDOW).reason is reason


def test_a_token_of_a_version_that_is_not_there_is_forged(machine_of):
    token = machine_of(Keys(protection={1: THIRD})).seal_validity(TIME)
    machine = machine_of(Keys(protection={1: OTHER, 2: PROTECTION}, active_protection=2))
    assert machine.check_token(payload(token), TIME, WINDOW).reason is Reason.FORGED


def test_a_token_that_carries_its_time_of_issue_is_checked_as_such(machine):
    issue = Window(tolerance=0, validity=300, time="issue")
    assert machine.check_token(payload(TOKEN), TIME + 300, issue).reason is Reason.ACCEPTED
    assert machine.check_token(payload(TOKEN), TIME + 301, issue).reason is Reason.EXPIRED


def test_without_an_active_security_key_nothing_is_derived(machine_of):
    machine = machine_of(Keys(active_security=None))
    with pytest.raises(KeyUnavailable, match="security_key"):
        machine.derive_batch(Batch.pack([IDENTIFIERS["case"][0]["person"]]))
    with pytest.raises(KeyUnavailable, match="security_key"):
        _ = machine.security_key_version
    assert machine.seal_validity(TIME) == TOKEN


def test_without_an_active_protection_key_no_token_is_made_or_checked(machine_of):
    machine = machine_of(Keys(active_protection=None))
    with pytest.raises(KeyUnavailable, match="protection_key"):
        machine.seal_validity(TIME)
    with pytest.raises(KeyUnavailable, match="protection_key"):
        machine.check_token(payload(TOKEN), TIME, WINDOW)
    assert machine.security_key_version == 1


def test_a_machine_shows_no_key(machine):
    assert ROOT.lower() not in repr(machine).lower()
    assert PROTECTION.lower() not in repr(machine).lower()
