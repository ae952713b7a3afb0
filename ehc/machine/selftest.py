"""The machine's self-test (自检), at start and on demand, after the chapters of GM/T 0030.

Each check is a name, a chapter and what it found wrong ("" when it passed). A machine one of whose checks failed is in
its error state: it refuses work and says which. `Core` is what the checks are made of, so that a test can break each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ehc import crypto
from ehc.crypto import sm2
from ehc.errors import EhcError, Unavailable
from ehc.keys.keyring import Entry, Keyring, new_entry
from ehc.machine.random_tests import WatchedSource, failures

CIPHERS, RANDOM, KEYS = "密码运算 crypto-operation", "随机数 random numbers", "密钥管理 key management"

_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
_PROTECTION = bytes.fromhex("11223344556677888877665544332211")
_PERSON = ("01", "11010020171225006X", "电子健康卡")  # the specification's sample person
_CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
_TIME, _TOKEN = 1_516_161_003, "92FD69141DFE1553A42251E2B0196148"

_SM3_ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # GB/T 32905 A.1
_SM4 = "681edf34d206965e86b3e94f536e4246"  # GB/T 32907 A.1
_HMAC = "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a"  # GM/T 0042 D.3
_HMAC_TEXT = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2

# RFC 8998, A.1: SM4-GCM
_GCM_NONCE = bytes.fromhex("00001234567800000000ABCD")
_GCM_AAD = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
_GCM_PLAIN = b"".join(bytes([n]) * 8 for n in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
_GCM = (
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec"
)

# GB/T 32918.5, A.2: the recommended curve
_SM2_PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
_SM2_SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


def _sealed(key: bytes, nonce: bytes, aad: bytes, plain: bytes) -> bytes:
    cipher = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(aad)
    return cipher.update(plain) + cipher.finalize() + cipher.tag


def _derived(key: bytes, rows: int) -> list[str]:
    return crypto.derive_batch(crypto.Batch.pack([_PERSON] * rows), key).hex().card_id


def _verified(public: bytes, signature: bytes, message: bytes) -> bool:
    return sm2.PublicKey(public).verify(signature, message)


def _signs_and_opens() -> bool:
    """The pairwise consistency of a new key: what it signs its public key verifies, what that seals it opens."""
    key = sm2.PrivateKey.generate()
    signed = key.public_key.verify(key.sign(b"self-test"), b"self-test")
    return signed and bytes(key.decrypt(key.public_key.encrypt(b"self-test"))) == b"self-test"


@dataclass(frozen=True, slots=True)
class Core:
    """What is tested; the defaults are what works."""

    sm3: Callable[[bytes], bytes] = crypto.sm3
    hmac_sm3: Callable[[bytes, bytes], bytes] = crypto.hmac_sm3
    sm4_encrypt: Callable[[bytes, bytes], bytes] = crypto.sm4_ecb_encrypt
    sm4_decrypt: Callable[[bytes, bytes], bytes] = crypto.sm4_ecb_decrypt
    sm4_gcm: Callable[[bytes, bytes, bytes, bytes], bytes] = _sealed
    derive: Callable[[bytes, int], list[str]] = _derived
    seal_validity: Callable[[int, bytes], str] = crypto.make_token
    sm2_verifies: Callable[[bytes, bytes, bytes], bool] = _verified
    sm2_signs: Callable[[], bool] = _signs_and_opens
    random: Callable[[int], bytes] = os.urandom


class Check(NamedTuple):
    chapter: str
    name: str
    wrong: str  # "" when it passed


@dataclass(frozen=True, slots=True)
class Report:
    checks: tuple[Check, ...]
    tier: str

    @property
    def failed(self) -> str:
        """What failed, in one sentence; "" when all passed."""
        return "; ".join(f"self-test {check.name}: {check.wrong}" for check in self.checks if check.wrong)

    def require(self) -> None:
        """Raises Unavailable unless all passed."""
        if self.failed:
            raise Unavailable(f"the crypto machine refuses work: {self.failed}")


def self_test(keyring: Keyring, core: Core | None = None) -> Report:
    """Every check, over an open keyring."""
    checks = [*_ciphers(core or Core()), *_random(core or Core()), *key_integrity(keyring)]
    return Report(tuple(checks), crypto.tier())


class SelfTest:
    """The last report: whole at the start and when `run` is called, the keys anew whenever a keyring is taken over.

    refuse: brings the machine into its error state, for the reason given.
    """

    def __init__(self, refuse: Callable[[str], None], core: Core | None = None) -> None:
        self._refuse, self._core = refuse, core
        self.report: Report | None = None

    def take_over(self, keyring: Keyring) -> None:
        if self.report is None:
            self.run(keyring)
        else:
            others = (check for check in self.report.checks if check.chapter != KEYS)
            self._found(Report((*others, *key_integrity(keyring)), self.report.tier))

    def run(self, keyring: Keyring) -> None:
        self._found(self_test(keyring, self._core))

    def _found(self, report: Report) -> None:
        self.report = report
        if report.failed:
            self._refuse(report.failed)


def _ciphers(core: Core) -> Iterator[Check]:
    batches = (1, 16, 17, 129)  # the short way, a full group and a remainder of every tier
    for name, holds in (
        ("SM3", lambda: core.sm3(b"abc").hex() == _SM3_ABC),
        ("HMAC-SM3", lambda: core.hmac_sm3(bytes(range(1, 33)), _HMAC_TEXT).hex() == _HMAC),
        ("SM4-ECB encrypt", lambda: core.sm4_encrypt(_KEY, _KEY * 9).hex() == _SM4 * 9),
        ("SM4-ECB decrypt", lambda: core.sm4_decrypt(_KEY, bytes.fromhex(_SM4)) == _KEY),
        ("SM4-GCM", lambda: core.sm4_gcm(_KEY, _GCM_NONCE, _GCM_AAD, _GCM_PLAIN).hex() == _GCM),
        ("derivation", lambda: all(core.derive(_KEY, n) == [_CARD] * n for n in batches)),
        ("validity token", lambda: core.seal_validity(_TIME, _PROTECTION) == _TOKEN),
        ("SM2 verify", lambda: core.sm2_verifies(_SM2_PUBLIC, _SM2_SIGNATURE, b"message digest")),
        ("SM2 sign, encrypt, decrypt", core.sm2_signs),
    ):
        yield Check(CIPHERS, name, _answer(holds))


def _answer(holds: Callable[[], bool]) -> str:
    try:
        return "" if holds() else "a known answer did not come out"
    except (EhcError, ValueError) as error:
        return str(error)


def _random(core: Core) -> Iterator[Check]:
    wrong = failures(core.random)
    yield Check(RANDOM, "statistics of a million bits", ", ".join(wrong))
    try:
        WatchedSource(core.random)(4096)
        yield Check(RANDOM, "repetition count, adaptive proportion", "")
    except Unavailable as error:
        yield Check(RANDOM, "repetition count, adaptive proportion", str(error))


def key_integrity(keyring: Keyring) -> list[Check]:
    """The check values of every key that is there."""
    wrong = [entry.named() for entry in keyring.entries if entry.raw and not _is_whole(entry)]
    said = f"{', '.join(wrong)}: its bytes do not have the check values that stand beside them" if wrong else ""
    return [Check(KEYS, "integrity of keys", said)]


def _is_whole(entry: Entry) -> bool:
    try:
        made = new_entry(entry.purpose, entry.version, entry.state, entry.created_at, entry.raw)
    except ValueError:
        return False
    same = (made.check_value, made.digest_value, made.public_key)
    crypto.wipe(made.raw)
    return same == (entry.check_value, entry.digest_value, entry.public_key)
