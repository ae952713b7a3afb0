"""What a machine in a process does stands in the audit log in blocks, and one operation never waits for a file."""

import pytest
from keyrings import KEY, NOW

from ehc.config import Settings
from ehc.crypto import Batch, Profiles, Window
from ehc.errors import KeyringError, Unavailable
from ehc.keys.keyring import Keyring, Purpose
from ehc.machine import tally as room
from ehc.machine.software import SoftwareMachine
from ehc.machine.tally import Audit, Kind
from ehc.store.keyring_folder import KeyringFolder
from ehc.wiring.keys import open_keys, open_machine

PEOPLE = Batch.pack([("01", f"{11010020000101000 + i:018}", "电子健康卡") for i in range(30)])


def ring():
    made = Keyring()
    for purpose in Purpose:
        if purpose is not Purpose.SIGNING_KEY:
            made.add(purpose, bytearray(KEY), NOW)
            made.add(purpose, bytearray(reversed(KEY)), NOW)
    return made


class Log:
    """Records, and how often one was written."""

    def __init__(self):
        self.records, self.broken = [], False

    def append(self, act, what):
        if self.broken:
            raise KeyringError("the disk is full")
        self.records.append((act, what))

    def done(self):
        return [what["done"] for _, what in self.records]


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def machine():
    return SoftwareMachine.of(ring())


@pytest.fixture
def audit(machine, log):
    return Audit(machine.tally, log.append)


EVERYTHING = {
    "card_made 2": lambda m: m.derive_batch(PEOPLE),
    "card_rekeyed 2": lambda m: m.rekey_batch(PEOPLE, old=2, new=2),
    "token_made 2": lambda m: (m.seal_validity(NOW), m.seal_bound("AB" * 32, NOW, 1)),
    "token_checked 2": lambda m: m.check_tokens([f"{'AB' * 32}:0:{m.seal_validity(NOW)}"], Profiles.NATIONAL, Window()),
    "code_made 2": lambda m: m.seal_compact(1, issuer=1, node=0, serial=1, issued_at=NOW, ttl=0),
    "code_checked 2": lambda m: (m.check_compact("EHC2:", NOW, 60), m.open_alias(bytes(16), 1)),
    "mac_made 2": lambda m: m.mac(b"text"),
    "mac_checked 2": lambda m: m.check_mac(b"text", m.mac(b"text")),
    "wrapped 2": lambda m: m.wrap(b"secret", b"name"),
    "unwrapped 2": lambda m: m.unwrap(m.wrap(b"secret", b"name"), b"name"),
}


@pytest.mark.parametrize("kind", EVERYTHING)
def test_every_operation_is_counted_by_kind_and_version(machine, audit, log, kind):
    EVERYTHING[kind](machine)
    audit.end()
    assert log.done()[-1][kind] >= 1


def test_a_batch_counts_its_rows_and_a_check_every_key_it_tries(machine, audit, log):
    machine.derive_batch(PEOPLE)
    machine.check_token(f"{'AB' * 32}:0:{'00' * 16}", NOW, Window())
    machine.open_compacts(["EHC2:"] * 3)
    audit.end()
    assert log.done() == [{}, {"card_made 2": 30, "token_checked 1": 1, "token_checked 2": 1, "code_checked 2": 3}]


def test_a_record_stands_before_the_first_operation_and_single_ones_write_none(machine, audit, log):
    assert log.records == [("machine.block", {"up_to": room.BLOCK, "done": {}})]
    for _ in range(2000):
        machine.check_token(f"{'AB' * 32}:0:{'00' * 16}", NOW, Window())
    assert len(log.records) == 1


def test_the_next_record_is_written_when_a_quarter_is_used_or_the_time_is_over(machine, log, monkeypatch):
    monkeypatch.setattr(room, "BLOCK", 40)
    audit = Audit(machine.tally, log.append)
    for expected, calls in ((1, 9), (2, 1), (2, 0), (3, 10)):
        for _ in range(calls):
            machine.seal_validity(NOW)
        audit.look()
        assert len(log.records) == expected
    machine.derive_batch(PEOPLE)
    machine.derive_batch(PEOPLE)
    assert [what["up_to"] for _, what in log.records] == [40] * 4
    machine.derive_batch(Batch.pack([("01", "11010020171225006X", "甲")] * 50))
    assert log.records[-1] == ("machine.block", {"up_to": 50, "done": {"card_made 2": 30}})


def test_nothing_is_done_while_the_log_cannot_be_written(machine, log, monkeypatch):
    monkeypatch.setattr(room, "SECONDS", 0.0)
    audit = Audit(machine.tally, log.append)
    machine.seal_validity(NOW)
    log.broken = True
    audit.look()
    for act in EVERYTHING.values():
        with pytest.raises(Unavailable, match="audit log cannot be written"):
            act(machine)
    log.broken = False
    audit.look()
    machine.seal_validity(NOW)
    audit.end()
    assert sum(done.get("token_made 2", 0) for done in log.done()) == 2
    with pytest.raises(Unavailable):
        machine.seal_validity(NOW)


def test_a_machine_does_not_open_when_its_first_record_cannot_be_written(tmp_path):
    folder = KeyringFolder(tmp_path / "keyring")
    folder.create(ring())
    folder.audit.path.rename(tmp_path / "away")
    folder.audit.path.mkdir()
    with pytest.raises(KeyringError, match=r"audit\.log"):
        open_machine(Settings(home=str(tmp_path)))


def test_operations_of_a_service_stand_in_the_log_of_its_keyring(tmp_path):
    folder = KeyringFolder(tmp_path / "keyring")
    folder.create(ring())
    opened = open_keys(Settings(home=str(tmp_path)), None)
    opened.keys.derive_batch(PEOPLE)
    opened.close()
    last, first = list(folder.audit.backwards("machine.block", "machine.stop"))
    assert (first.act, first.what["done"]) == ("machine.block", {})
    assert (last.act, last.what["done"], last.role) == ("machine.stop", {"card_made 2": 30}, "OPERATOR")


def test_a_keyring_opens_behind_any_number_of_blocks(tmp_path):
    folder = KeyringFolder(tmp_path / "keyring")
    folder.create(ring())
    block = b"".join(b'{"act":"machine.block","what":"%d"}\n' % n for n in range(20_000))  # over several reads
    whole = folder.audit.path.read_bytes()
    folder.audit.path.write_bytes(whole + block)
    assert [record.act for record in folder.audit.backwards("change", "changed")] == ["changed", "change"]
    with folder.open() as found:
        assert len(found.entries) == 2 * (len(Purpose) - 1)


def test_kinds_are_counted_apart():
    tally = room.Tally()
    for kind in Kind:
        tally.one(kind, 255)
        tally.many(kind, 0, kind + 2)
    assert tally.counts()[:, 255].tolist() == [1] * len(Kind)
    assert tally.counts()[:, 0].tolist() == [kind + 2 for kind in Kind]
