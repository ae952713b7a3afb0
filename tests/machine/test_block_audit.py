"""What the TCP machine does stands in the audit log before it is done, in blocks, and in no other way is it done."""

import numpy as np
import pytest

from ehc.crypto.host import OPERATIONS
from ehc.errors import KeyringError
from ehc.keys.audit import Actor, Role
from ehc.machine.block_audit import BLOCK, SECONDS, BlockAudit
from ehc.machine.host_server import HostServer
from ehc.store.audit_log import AuditLog


class Desk:
    """An audit of a real log, its clock, and a machine that only counts."""

    def __init__(self, folder):
        self.log, self.now = AuditLog(folder), 0.0
        self.counts = np.zeros((len(OPERATIONS), 256), np.uint32)
        actor = Actor("ehc machine", Role.OPERATOR)
        self.audit = BlockAudit(
            lambda act, what: self.log.append(act, dict(what), actor), self.counts.copy, OPERATIONS, lambda: self.now
        )

    def do(self, n, version=2):
        assert self.audit.covers(n)
        self.counts[OPERATIONS.index("card_made"), version] += n

    def records(self):
        return [(record.act, record.what) for record in self.log.backwards("machine.block", "machine.stop")][::-1]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_record_that_allows_them_stands_before_the_first_operations(desk):
    desk.do(10)
    desk.do(20)
    assert desk.records() == [("machine.block", {"up_to": BLOCK, "done": {}})]


def test_the_next_block_says_what_was_done_of_the_one_before(desk):
    desk.do(10, version=1)
    desk.do(20)
    desk.now += SECONDS
    desk.do(5)
    desk.audit.end()
    assert [what["done"] for _, what in desk.records()] == [
        {},
        {"card_made 1": 10, "card_made 2": 20},
        {"card_made 2": 5},
    ]
    assert [act for act, _ in desk.records()] == ["machine.block", "machine.block", "machine.stop"]


def test_no_block_covers_more_than_it_says(desk):
    for _ in range(5):
        desk.do(BLOCK // 2)
    allowed = [what["up_to"] for _, what in desk.records()]
    assert allowed == [BLOCK] * 3
    desk.do(3 * BLOCK)
    assert desk.records()[-1][1]["up_to"] == 3 * BLOCK


def test_nothing_is_done_while_the_log_cannot_be_written(desk):
    desk.do(1)
    desk.now += SECONDS
    desk.log.path.rename(desk.log.path.with_suffix(".away"))
    desk.log.path.mkdir()
    with pytest.raises(KeyringError):
        desk.log.append("x", {}, Actor("x"))
    assert not desk.audit.covers(1)
    server = HostServer(lambda: None, 1, (), desk.audit.covers)
    answers = bytearray(1000)
    frame = b"\x00\x143C200003abc;00000000"
    _, written = server.machine(len(frame)).answer(frame, 0, len(frame), answers)
    assert bytes(answers[:written]) == b"\x00\x043D31"
    desk.log.path.rmdir()
    desk.log.path.with_suffix(".away").rename(desk.log.path)
    assert desk.audit.covers(1)
    assert desk.records()[-1][1]["done"] == {"card_made 2": 1}
