"""The audit log's chain, tree and checkpoints, by the verifier that shares no code with the writer."""

import itertools
import json

import msgspec
import pytest

from ehc.crypto import sm3
from ehc.crypto.sm2 import PrivateKey, PublicKey
from ehc.errors import KeyringError
from ehc.keys.audit import ZERO, Record, Role, leaf, line_of, proof, read_line, root, signed_checkpoint
from ehc.keys.audit_verifier import verify, verify_proof

NOW = 1_767_225_600
KEY = PrivateKey.generate()
PUBLIC = bytes(KEY.public_key)


def check(public_key, signature, message):
    return len(signature) == 64 and PublicKey(public_key).verify(signature, message)


def log(count, first="start"):
    lines, prev = [], ZERO
    for seq in range(count):
        what = {"counter": seq, "note": first if seq == 0 else "钥匙"}
        lines.append(
            line_of(Record(seq=seq, at=NOW + seq, who="wang", role=Role.MANAGER, act="x", what=what, prev=prev))
        )
        prev = read_line(lines[-1])[1]
    return lines


def checkpoints(lines, *sizes, key=KEY):
    return b"".join(
        msgspec.json.encode(signed_checkpoint(lines[:size], NOW, bytes(key.public_key), key.sign)) + b"\n"
        for size in sizes
    )


LINES = log(12)
POINTS = checkpoints(LINES, 5, 12)


def verified(lines, points=POINTS, public_key=PUBLIC):
    return verify(b"".join(lines), points, check, public_key)


def found(lines, points=POINTS):
    return [(one.line, one.what) for one in verified(lines, points).findings]


def test_a_whole_log_has_no_findings():
    report = verified(LINES)
    assert (report.findings, report.records, report.checkpoints, report.covered, report.unfinished) == (
        [],
        12,
        2,
        12,
        0,
    )
    assert report.keys == {PUBLIC.hex()}
    assert verified([], b"").findings == []


def test_every_flipped_bit_of_a_record_is_located():
    target, at = LINES[6], 7
    for position in range(len(target)):
        for bit in (0x01, 0x80):
            changed = bytearray(target)
            changed[position] ^= bit
            findings = found([*LINES[:6], bytes(changed), *LINES[7:]])
            assert findings[0][0] == at, (position, findings)  # what names the line comes first


@pytest.mark.parametrize("gone", range(12))
def test_every_dropped_record_is_located(gone):
    findings = found(LINES[:gone] + LINES[gone + 1 :])
    if gone == 11:
        assert findings == [(11, "cut off: checkpoint 2 counts 12 records, 11 are there")]
    else:
        assert (gone + 1, f"1 of the records {gone} to {gone} are missing") in findings


def test_a_moved_record_is_located():
    findings = found([*LINES[:3], LINES[8], *LINES[3:8], *LINES[9:]])
    assert (5, "record 3 was moved: it stands after record 8") in findings
    findings = found([*LINES[:3], LINES[4], LINES[3], *LINES[5:]])
    assert (5, "record 3 was moved: it stands after record 4") in findings


def test_a_doubled_record_is_located():
    assert (5, "record 3 is there a second time") in found([*LINES[:4], LINES[3], *LINES[4:]])


@pytest.mark.parametrize("left", range(1, 12))
def test_every_cut_is_seen_through_the_checkpoints(left):
    assert (left, f"cut off: checkpoint 2 counts 12 records, {left} are there") in found(LINES[:left])


def test_a_record_written_anew_does_not_fit_its_neighbour():
    record, _ = read_line(LINES[6])
    forged = line_of(msgspec.structs.replace(record, who="li"))
    assert (8, "record 7 does not follow record 6: one of them was replaced") in found([*LINES[:6], forged, *LINES[7:]])


def test_a_whole_history_written_anew_is_not_what_the_checkpoints_saw():
    findings = found(log(12, "other"))
    assert findings == [
        (0, "a record of 0 to 4 is not the one that checkpoint 1 saw"),
        (0, "a record of 0 to 11 is not the one that checkpoint 2 saw"),
    ]
    other_end = LINES[:6] + log(12, "start")[6:-1]
    lines, prev = LINES[:8], read_line(LINES[7])[1]
    for seq in range(8, 12):
        lines.append(line_of(Record(seq=seq, at=0, who="li", role=Role.USER, act="y", what={}, prev=prev)))
        prev = read_line(lines[-1])[1]
    assert found(lines) == [(0, "a record of 5 to 11 is not the one that checkpoint 2 saw")]
    assert len(other_end) == 11


def test_an_unfinished_line_is_told_and_is_no_record():
    report = verify(b"".join(LINES) + b'{"seq":12,', POINTS, check, PUBLIC)
    assert (report.findings, report.unfinished) == ([], 10)


def test_a_checkpoint_of_another_key_or_changed_is_refused():
    other = PrivateKey.generate()
    assert found(LINES, checkpoints(LINES, 5, key=other)) == [
        (0, "checkpoint 1 is not signed by the key: it was changed")
    ]
    assert verified(LINES, checkpoints(LINES, 5, key=other), None).keys == {bytes(other.public_key).hex()}
    text = POINTS.splitlines(keepends=True)[0]
    for position in range(len(text) - 1):
        changed = bytearray(text)
        changed[position] ^= 1
        assert found(LINES, bytes(changed)) != [], position


def test_a_line_that_was_changed_is_not_gone_on_from():
    with pytest.raises(KeyringError, match="audit verify"):
        read_line(LINES[3].replace(b"wang", b"wanG"))
    with pytest.raises(KeyringError, match="audit verify"):
        read_line(b"{}\n")


def slow_root(leaves):
    """RFC 9162, 2.1.1, as it is written there."""
    if not leaves:
        return sm3(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sm3(b"\x01" + slow_root(leaves[:k]) + slow_root(leaves[k:]))


def test_the_root_is_that_of_rfc_9162():
    for count in range(40):
        leaves = [leaf(line) for line in log(count)]
        assert root(leaves) == slow_root(leaves)
    assert leaf(b"") == sm3(b"\x00")


def test_every_record_of_every_size_has_a_proof_and_no_other_record_has_it():
    lines = log(17)
    for size in (1, 2, 3, 7, 8, 17):
        at = msgspec.json.decode(checkpoints(lines, size), type=signed_type())
        for seq in range(size):
            made = msgspec.json.encode(proof(lines, seq, at))
            assert verify_proof(made, check, PUBLIC) == []
            other = json.loads(made) | {"line": lines[(seq + 1) % 17].decode()}
            assert verify_proof(json.dumps(other).encode(), check, PUBLIC) != []


def signed_type():
    from ehc.keys.audit import Checkpoint

    return Checkpoint


def test_a_proof_that_was_changed_proves_nothing():
    at = msgspec.json.decode(checkpoints(LINES, 12), type=signed_type())
    made = json.loads(msgspec.json.encode(proof(LINES, 6, at)))
    other = PrivateKey.generate()
    assert verify_proof(json.dumps(made).encode(), check, bytes(other.public_key)) != []
    for i, change in itertools.product(range(len(made["path"])), ("00" * 32, "zz")):
        path = [*made["path"][:i], change, *made["path"][i + 1 :]]
        assert verify_proof(json.dumps(made | {"path": path}).encode(), check, PUBLIC) != []
    for wrong in (made | {"path": made["path"][:-1]}, made | {"path": [*made["path"], "00" * 32]}, {}, []):
        assert verify_proof(json.dumps(wrong).encode(), check, PUBLIC) != []
