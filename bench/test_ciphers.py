"""The primitives in bulk, one message: SM3, and SM4-ECB under one key."""

from __future__ import annotations

import random

import pytest
from contender import Contender, by_name, peers
from peers import gmssl_python, openssl_usual, openssl_well
from people import SECURITY_KEY
from tier import tiers

from ehc.crypto import sm3, sm4_ecb_encrypt

DATA = random.Random(1).randbytes(1 << 20)
PEERS = {openssl_well: 1 << 20, openssl_usual: 1 << 20, gmssl_python: 1 << 13}
ABC = bytes.fromhex("66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0")  # GB/T 32905, example 1
STANDARD = bytes.fromhex("681EDF34D206965E86B3E94F536E4246")  # GB/T 32907, example 1: SECURITY_KEY under itself

HASHES = by_name(
    Contender("ehc", 1 << 20, run=sm3), peers(lambda peer, data: peer.sm3(data), PEERS, "sm3", optional=1 << 20)
)
CIPHERS = by_name(
    Contender("ehc", 1 << 20, run=lambda data: sm4_ecb_encrypt(SECURITY_KEY, data)),
    tiers("sm4", share=1 << 20, portable_share=1 << 20),
    peers(lambda peer, data: peer.sm4_ecb(SECURITY_KEY, data), PEERS, "sm4_ecb", optional=1 << 16),
)


@pytest.mark.parametrize("name", HASHES)
def test_sm3(measure, name):
    contender = HASHES[name]
    assert contender.run(b"abc") == ABC
    assert measure("sm3", "bytes", contender, DATA) == openssl_well.sm3(DATA[: contender.share])


@pytest.mark.parametrize("name", CIPHERS)
def test_sm4_ecb(measure, name):
    contender = CIPHERS[name]
    answer = measure("sm4-ecb", "bytes", contender, SECURITY_KEY + DATA)
    assert answer[:16] == STANDARD
    assert answer == openssl_well.sm4_ecb(SECURITY_KEY, (SECURITY_KEY + DATA)[: contender.share])
