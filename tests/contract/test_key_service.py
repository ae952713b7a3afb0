"""What every crypto machine (ports.KeyService) does. An implementation joins by one more line in MACHINES.

A machine is made of `Keys`: hex keys by version, and which of each purpose is active. What it does not offer it must
refuse by name.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from host_ends import served_port, thread_port
from sdf_machines import created, sdf_machine
from vectors import load

from ehc.crypto import Batch, Profiles, Window, derive_batch, hmac_sm3
from ehc.crypto.sm2 import PublicKey
from ehc.errors import InputError, KeyUnavailable
from ehc.keys.keyring import Keyring, KeyState, Purpose, new_entry
from ehc.machine.host_pool import LinePool
from ehc.machine.software import SoftwareMachine
from ehc.machine.tcp import TcpMachine
from ehc.model import Reason
from ehc.ports import Capability, KeyService

IDENTIFIERS, TOKENS, BOUND = load("identifiers"), load("tokens_n"), load("tokens_a")
ROOT, PROTECTION = IDENTIFIERS["security_key"], TOKENS["protection_key"]
OTHER, THIRD = "00112233445566778899AABBCCDDEEFF", "FFEEDDCCBBAA99887766554433221100"
CARD = IDENTIFIERS["case"][0]["card_id"]
TIME = int(TOKENS["case"][0]["time"].timestamp())
TOKEN, WINDOW, NOW = TOKENS["case"][0]["token"], Window(tolerance=60, validity=300), 1_767_225_600
STATES = {
    "security": Purpose.SECURITY_KEY,
    "protection": Purpose.PROTECTION_KEY,
    "macs": Purpose.MAC_KEY,
    "wrapping": Purpose.WRAPPING_KEY,
    "signing": Purpose.SIGNING_KEY,
}


@dataclass
class Keys:
    """Versions that are not active are deactivated, unless `states` says otherwise."""

    security: dict[int, str] = field(default_factory=lambda: {1: ROOT})
    protection: dict[int, str] = field(default_factory=lambda: {1: PROTECTION})
    macs: dict[int, str] = field(default_factory=lambda: {1: OTHER})
    wrapping: dict[int, str] = field(default_factory=lambda: {1: THIRD})
    signing: dict[int, str] = field(default_factory=lambda: {1: OTHER + THIRD})
    active_security: int | None = 1
    active_protection: int | None = 1
    states: dict[tuple[str, int], KeyState] = field(default_factory=dict)

    def keyring(self) -> Keyring:
        def state(name: str, version: int) -> KeyState:
            active = {"security": self.active_security, "protection": self.active_protection}.get(name, version)
            return self.states.get((name, version), KeyState.ACTIVE if version == active else KeyState.DEACTIVATED)

        return Keyring(
            new_entry(purpose, version, state(name, version), NOW, bytearray.fromhex(key))
            for name, purpose in STATES.items()
            for version, key in sorted(getattr(self, name).items())
        )


def software(keys: Keys, home: Path, ends: ExitStack) -> KeyService:
    with keys.keyring() as keyring:
        return SoftwareMachine.of(keyring)


def tcp(keys: Keys, home: Path, ends: ExitStack) -> KeyService:
    """Over a real `ehc machine serve` for the keys of most tests, over its server in a thread for the others."""
    with keys.keyring() as keyring:
        port = served_port(keyring, home, ends) if keys == Keys() else thread_port(keyring, ends)
    return TcpMachine(LinePool(("127.0.0.1", port), connections=2, depth=7, seconds=30))


MACHINES: dict[str, Callable[[Keys, Path, ExitStack], KeyService]] = {
    "software": software,
    "tcp": tcp,
    "gmt0018": lambda keys, home, ends: sdf_machine(keys.keyring, home / "sdf"),
}


@pytest.fixture(scope="module")
def ends() -> Iterator[ExitStack]:
    """What ends with the last test."""
    with ExitStack() as ends:
        yield ends


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("machines")
    created(folder / "sdf")
    return folder


@pytest.fixture(params=MACHINES.values(), ids=MACHINES)
def machine_of(request, home, ends) -> Iterator[Callable[[Keys], KeyService]]:
    made: list[KeyService] = []

    def make(keys: Keys) -> KeyService:
        made.append(request.param(keys, home, ends))
        return made[-1]

    yield make
    for one in made:
        getattr(one, "close", lambda: None)()


@pytest.fixture
def machine(machine_of) -> KeyService:
    return machine_of(Keys())


def needs(machine: KeyService, capability: Capability, call: Callable[[], object]) -> bool:
    """True where the machine offers it; else it must refuse the call, and name it."""
    if capability in machine.capabilities:
        return True
    with pytest.raises(KeyUnavailable, match=capability.value):
        call()
    return False


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


def test_without_an_active_protection_key_no_token_is_made_and_older_ones_are_checked(machine_of):
    machine = machine_of(Keys(active_protection=None))
    with pytest.raises(KeyUnavailable, match="protection_key"):
        machine.seal_validity(TIME)
    assert machine.check_token(payload(TOKEN), TIME, WINDOW).accepted
    assert machine.security_key_version == 1


def test_without_a_protection_key_that_may_open_no_token_is_checked(machine_of):
    machine = machine_of(Keys(states={("protection", 1): KeyState.SUSPENDED}))
    for call in (
        lambda: machine.seal_validity(TIME),
        lambda: machine.check_token(payload(TOKEN), TIME, WINDOW),
        lambda: machine.check_tokens([payload(TOKEN).decode()], Profiles.NATIONAL, WINDOW),
    ):
        with pytest.raises(KeyUnavailable, match="protection_key"):
            call()


def test_tokens_are_found_authentic_whatever_the_time_is(machine):
    texts = [payload(TOKEN).decode(), payload("00" * 16).decode(), f"{CARD}:1"]
    found = machine.check_tokens(texts, Profiles.NATIONAL, Window())
    assert found.found == [True, False, False]
    assert found.expiry[0] == TIME


def test_card_ids_are_made_under_a_named_version(machine_of):
    states = {("security", 1): KeyState.ACTIVE, ("security", 3): KeyState.PRE_ACTIVE}
    machine = machine_of(Keys(security={1: ROOT, 2: OTHER, 3: THIRD, 4: ROOT}, active_security=2, states=states))
    people = Batch.pack([IDENTIFIERS["case"][0]["person"]])
    by_version = {version: machine.derive_batch(people, version=version).hex().card_id[0] for version in (1, 2)}
    assert by_version[1] == CARD != by_version[2]
    assert machine.derive_batch(people).hex().card_id == [by_version[2]]
    for version, rows in ((3, people), (4, people), (5, people), (255, people), (3, Batch.pack([]))):
        with pytest.raises(KeyUnavailable, match=f"security_key version {version}"):
            machine.derive_batch(rows, version=version)


def test_card_ids_of_two_versions_are_those_of_each(machine_of):
    states = {("security", 2): KeyState.PRE_ACTIVE}
    machine = machine_of(Keys(security={1: ROOT, 2: OTHER}, states=states))
    people = [IDENTIFIERS["case"][0]["person"], ("01", "1" * 31, "甲"), IDENTIFIERS["case"][3]["person"]]
    for padding in ("full", "minimal"):
        both = machine.rekey_batch(Batch.pack(people), old=1, new=2, padding=padding)
        assert [error.row for error in both.errors] == [1]
        for version, ids in ((1, both.old_card_id), (2, both.new_card_id)):
            key = bytes.fromhex(ROOT if version == 1 else OTHER)
            alone = derive_batch(Batch.pack(people), key, padding=padding)
            lengths = both.card_id_lengths
            assert lengths.tolist() == alone.card_id_lengths.tolist()
            for row, length in enumerate(lengths):
                assert ids[row, :length].tolist() == alone.card_id[row, :length].tolist()


def test_a_version_that_is_gone_re_keys_nothing(machine_of):
    machine = machine_of(Keys(security={1: ROOT, 2: OTHER}, states={("security", 2): KeyState.ARCHIVED}))
    people = Batch.pack([IDENTIFIERS["case"][0]["person"]])
    for old, new in ((1, 2), (2, 1), (1, 3)):
        with pytest.raises(KeyUnavailable, match=r"security_key version [23]"):
            machine.rekey_batch(people, old=old, new=new)


def test_a_card_bound_token_is_the_known_answer(machine):
    card, expiry = BOUND["card_id"], int(BOUND["time"].timestamp())
    if not needs(machine, Capability.BOUND, lambda: machine.seal_bound(card, expiry, 0xA7)):
        with pytest.raises(KeyUnavailable, match="bound"):
            machine.check_token(payload(TOKEN), TIME, WINDOW, Profiles.NATIONAL | Profiles.BOUND)
        return
    token = machine.seal_bound(card, expiry, 0xA7)
    verdict = machine.check_token(f"{card}:0:{token}", expiry, WINDOW, Profiles.BOUND)
    assert verdict.accepted
    assert (verdict.bound.sequence, verdict.bound.key_version, verdict.bound.expiry) == (0xA7, 1, expiry)
    assert machine.check_token(f"{card}:0:{BOUND['token']}", expiry, WINDOW, Profiles.BOUND).accepted


def test_a_compact_code_is_checked_by_the_version_that_it_names(machine_of):
    machine = machine_of(Keys(protection={1: OTHER, 2: PROTECTION}, active_protection=2))
    said = {"issuer": 440100, "node": 1, "serial": 7, "issued_at": NOW, "ttl": 2}
    if not needs(machine, Capability.COMPACT, lambda: machine.seal_compact(12, **said)):
        with pytest.raises(KeyUnavailable, match="compact"):
            machine.check_compact("EHC2:", NOW, 60)
        with pytest.raises(KeyUnavailable, match="compact"):
            machine.open_compacts(["EHC2:"])
        return
    code = machine.seal_compact(12, **said)
    verdict = machine.check_compact(code, NOW, 60)
    assert verdict.accepted
    assert (verdict.account, verdict.code.key_version) == (12, 2)
    opened = machine.open_compacts([code, f"{code}\r\n", code[:-1] + "0", "EHC2:"])
    assert opened[:2] == [(12, NOW, verdict.expiry, verdict.serial_name)] * 2
    assert opened[2:] == [None, None]


def test_a_mac_is_hmac_sm3_and_is_checked_by_the_version_that_made_it(machine_of):
    machine = machine_of(Keys(macs={1: OTHER, 2: THIRD}, states={("macs", 1): KeyState.DEACTIVATED}))
    if not needs(machine, Capability.MAC, lambda: machine.mac(b"text")):
        needs(machine, Capability.MAC, lambda: machine.check_mac(b"text", (1, bytes(32))))
        return
    made = machine.mac(b"text")
    assert made == (2, hmac_sm3(bytes.fromhex(THIRD), b"text"))
    assert machine.check_mac(b"text", made)
    older = made._replace(version=1, value=hmac_sm3(bytes.fromhex(OTHER), b"text"))
    assert machine.check_mac(b"text", older)
    assert not machine.check_mac(b"text", older._replace(version=2))
    assert not machine.check_mac(b"text", older._replace(version=3))
    assert not machine.check_mac(b"other", made)


def test_a_signature_is_verified_by_its_versions_public_key(machine_of):
    keys = Keys(signing={1: OTHER + THIRD, 2: THIRD + OTHER}, states={("signing", 1): KeyState.DEACTIVATED})
    machine = machine_of(keys)
    if not needs(machine, Capability.SIGN, lambda: machine.sign(b"text")):
        needs(machine, Capability.SIGN, machine.verification_keys)
        return
    made = machine.sign(b"text")
    assert made.version == 2
    assert set(machine.verification_keys()) == {1, 2}
    for version, public in machine.verification_keys().items():
        assert PublicKey(public).verify(made.value, b"text") is (version == 2)


def test_what_was_wrapped_opens_under_its_name_alone(machine_of):
    machine = machine_of(Keys(wrapping={1: OTHER, 2: THIRD}, states={("wrapping", 1): KeyState.DEACTIVATED}))
    if not needs(machine, Capability.WRAP, lambda: machine.wrap(b"secret", b"name")):
        needs(machine, Capability.WRAP, lambda: machine.unwrap(b"", b"name"))
        return
    older = machine_of(Keys(wrapping={1: OTHER})).wrap(b"older", b"name")
    assert machine.unwrap(older, b"name") == b"older"
    for secret in (b"", b"secret", bytes(1000)):
        wrapped = machine.wrap(secret, b"name")
        assert machine.unwrap(wrapped, b"name") == secret
        assert machine.wrap(secret, b"name") != wrapped
        with pytest.raises(InputError, match="another name"):
            machine.unwrap(wrapped, b"name2")
        for at in (0, len(wrapped) // 2, len(wrapped) - 1):
            changed = bytearray(wrapped)
            changed[at] ^= 1
            with pytest.raises(InputError):
                machine.unwrap(bytes(changed), b"name")
    for nonsense in (b"", b"\x01\x02", wrapped[:30]):
        with pytest.raises(InputError):
            machine.unwrap(nonsense, b"name")


@pytest.mark.parametrize("capability", ["MAC", "SIGN", "WRAP"])
def test_without_a_key_that_may_nothing_is_made(machine_of, capability):
    machine = machine_of(Keys(macs={}, signing={}, wrapping={}))
    call = {"MAC": machine.mac, "SIGN": machine.sign, "WRAP": lambda data: machine.wrap(data, b"name")}[capability]
    if needs(machine, Capability[capability], lambda: call(b"text")):
        with pytest.raises(KeyUnavailable, match="_key"):
            call(b"text")


def test_a_machine_shows_no_key(machine):
    for key in (ROOT, PROTECTION, OTHER, THIRD):
        assert key.lower() not in repr(machine).lower()
