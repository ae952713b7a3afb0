"""Keys that leave: diversified by the rule of the cards, in an envelope that opens once, answered by a receipt."""

import os

import pytest

from ehc.crypto import sm3, sm4_ecb_encrypt
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import Conflict, InputError, NotFound
from ehc.keys.audit import Role
from ehc.keys.credential import Credential
from ehc.keys.diversify import diversify, factor_of
from ehc.keys.envelope import Sender, acknowledge, read_head, receive, send
from ehc.keys.keyring import Keyring, KeyState, Operation, Purpose

NOW = 1_767_225_600
ROOT = bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210")
SECURITY = Purpose.SECURITY_KEY
SIGNING = PrivateKey.generate()
SENDER = Sender(bytes(SIGNING.public_key), SIGNING.sign)
REGION, OTHER = (Credential.generate(name, Role.OPERATOR) for name in ("sichuan", "guizhou"))


def test_the_rule_is_that_of_the_user_key_of_the_published_sample():
    key = diversify(ROOT, [bytes.fromhex("92CDCE45A16799FD")])  # domain.md, 1
    assert key.hex().upper() == "86C63180C2806ED1F47B859DE501215B"
    assert diversify(ROOT, [bytes.fromhex("00A92834B1DBB05E")]).hex().upper() == "D094D839F570959222CDF33A59A74F33"


def test_region_city_and_institution_follow_one_another():
    key = ROOT
    for code in ("510000", "510100", "455012345678901234"):
        factor = factor_of(code)
        key = sm4_ecb_encrypt(bytes(key), factor + bytes(byte ^ 0xFF for byte in factor))
    assert diversify(ROOT, map(factor_of, ("510000", "510100", "455012345678901234"))) == key
    assert diversify(ROOT, []) == ROOT
    assert ROOT.hex() == "0123456789abcdeffedcba9876543210"


def test_a_place_has_one_factor():
    assert factor_of("510000") == b"510000\0\0"
    assert factor_of("12345678") == b"12345678"
    digest = sm3(b"123456789")
    assert factor_of("123456789") == bytes(
        digest[i] ^ digest[i + 8] ^ digest[i + 16] ^ digest[i + 24] for i in range(8)
    )
    for wrong in ("", "51 00", "四川", "a\n"):
        with pytest.raises(InputError, match="a place is named by its code"):
            factor_of(wrong)


def province():
    ring = Keyring()
    ring.add(SECURITY, ROOT, NOW)
    return ring


def sent(ring, places=(), to=REGION):
    entry = ring.entry(SECURITY, 1)
    key = diversify(entry.raw, map(factor_of, places))
    return send(ring, entry, key, to.identity, SENDER, now=NOW, random=os.urandom, places=places), key


def test_a_key_arrives_once_and_its_receipt_comes_back():
    ring, there = province(), Keyring()
    envelope, key = sent(ring, ("510000",))
    entry, receipt = receive(there, envelope, REGION, SENDER.public_key, NOW + 9)
    assert bytes(entry.raw) == key != ROOT
    assert (entry.purpose, entry.version, entry.state) == (SECURITY, 1, KeyState.PRE_ACTIVE)
    with pytest.raises(Conflict, match="opened before: it serves once"):
        receive(there, envelope, REGION, SENDER.public_key, NOW + 10)
    assert ring.office.sent[0].received_at == 0
    done = acknowledge(ring, receipt)
    assert (done.to.name, done.received_at, done.check_value) == ("sichuan", NOW + 9, entry.check_value)
    with pytest.raises(Conflict, match="here already"):
        acknowledge(ring, receipt)


def test_an_envelope_opens_for_its_recipient_from_its_sender_and_unchanged():
    envelope, key = sent(province())
    with pytest.raises(InputError, match="not for guizhou"):
        receive(Keyring(), envelope, OTHER, SENDER.public_key, NOW)
    with pytest.raises(InputError, match="not from the one expected"):
        receive(Keyring(), envelope, REGION, OTHER.identity.verifies, NOW)
    for at in range(len(envelope)):
        ring = Keyring()
        with pytest.raises(InputError):
            receive(
                ring, envelope[:at] + bytes([envelope[at] ^ 1]) + envelope[at + 1 :], REGION, SENDER.public_key, NOW
            )
        assert ring.entries == ()
    assert bytes(key) not in envelope
    assert key.hex().encode() not in envelope.lower()
    assert read_head(envelope).check_value == "2677F4"


def test_a_key_that_may_not_leave_does_not():
    ring = province()
    ring.step(SECURITY, 1, Operation.SUSPEND, NOW)
    with pytest.raises(Conflict, match="suspended: export is not possible"):
        sent(ring)
    assert ring.office.sent == []


def test_a_receipt_that_another_wrote_or_of_no_envelope_is_refused():
    ring = province()
    envelope, _ = sent(ring)
    _, receipt = receive(Keyring(), envelope, REGION, SENDER.public_key, NOW)
    with pytest.raises(InputError, match="not sichuan's word"):
        acknowledge(ring, receipt.replace(f'"at":{NOW}'.encode(), f'"at":{NOW + 1}'.encode()))
    with pytest.raises(NotFound, match="no envelope"):
        acknowledge(province(), receipt)
    with pytest.raises(InputError, match="no receipt"):
        acknowledge(ring, b"{}")
    assert ring.office.sent[0].received_at == 0
