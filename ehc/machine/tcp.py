"""A crypto machine behind the field's TCP host protocol (native/README.md, "Frames")."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

from ehc.crypto import Batch, CompactVerdict, DerivedBatch, OpenedCompact, Profiles, RekeyedBatch, Window
from ehc.crypto.batch import Padding
from ehc.crypto.host import CODES, HostBatch
from ehc.crypto.opened import check_opened, validity_block, validity_time
from ehc.errors import ConfigError, KeyUnavailable, Unavailable
from ehc.keys.life import Operation, Purpose
from ehc.machine.held import missing
from ehc.machine.host_pool import LinePool
from ehc.machine.host_text import HostVersions, read_text
from ehc.model import Verdict
from ehc.ports import AuthenticTokens, Capability, Made

_NOT_OURS, _OF_KEYS, _REFUSES_ALL = 22, (20, 21), 30
_KNOWN_SECONDS = 0.5  # so long what NC said holds: a changed keyring is noticed within a second


class TcpMachine:
    """ports.KeyService. versions: of a machine that does not say them in NC; None: one of ours, which is asked.

    Offers what the protocol has: card ids and validity tokens.
    """

    capabilities = frozenset({Capability.DERIVE, Capability.VALIDITY})

    def __init__(self, pool: LinePool, versions: HostVersions | None = None) -> None:
        self._pool, self._fixed = pool, versions
        self._known, self._asked_at = HostVersions(), -_KNOWN_SECONDS

    def _versions(self) -> HostVersions:
        if self._fixed is not None:
            return self._fixed
        if time.monotonic() - self._asked_at > _KNOWN_SECONDS:
            found = read_text(self._ask([b"NC"], b"ND")[0][1])
            if found is None:
                raise ConfigError(
                    "setting machine_security_version is missing: this crypto machine does not say which keys it has"
                )
            self._known, self._asked_at = found, time.monotonic()
        return self._known

    @property
    def security_key_version(self) -> int:
        return self._versions().security or self._none(Purpose.SECURITY_KEY, Operation.DERIVE)

    @property
    def security_key_check_value(self) -> str:
        """What the machine says; of one that does not, the beginning of a card id of zeros, which tells keys apart."""
        known = self._versions()
        return (
            known.check_value or self._sealed(b"01" + b"0" * 16 + b"F" * 16, self.security_key_version, bytes(16))[:6]
        )

    def derive_batch(self, rows: Batch, *, version: int | None = None, padding: Padding = "full") -> DerivedBatch:
        wanted, deriving = self.security_key_version if version is None else version, self._versions().deriving
        if deriving is not None and wanted not in deriving:
            raise KeyUnavailable(f"security_key version {wanted} may not derive here; versions that may: {deriving}")
        return self._made(rows, wanted, padding).derived()

    def rekey_batch(self, rows: Batch, *, old: int, new: int, padding: Padding = "full") -> RekeyedBatch:
        before = self._made(rows, old, padding)
        after = self._made(rows, new, padding, before).derived()
        made = before.derived()
        return RekeyedBatch(made.card_id, after.card_id, after.errors, after.card_id_lengths)

    def _made(self, rows: Batch, version: int, padding: Padding, known: HostBatch | None = None) -> HostBatch:
        batch = HostBatch(rows, padding, known)
        if len(batch):
            self._pool.make_cards(batch, version)
        for code in sorted(batch.refusals()):
            _raise(code, f"security_key version {version}")
        return batch

    def seal_validity(self, time: int) -> str:
        version = self._versions().protection or self._none(Purpose.PROTECTION_KEY, Operation.SEAL)
        return self._sealed(b"00", version, validity_block(time)[:7])

    def _sealed(self, factor: bytes, version: int, data: bytes) -> str:
        """Upper-case hex of a block under a key; factor: its count and itself."""
        body = b"S30000AK%04d%b0002%04X%b" % (102 + 2 * version, factor, len(data), data)
        code, made = self._ask([body], b"S4")[0]
        _raise_any(code, f"key version {version}")
        return _block(made).hex().upper()

    def check_token(
        self, payload: str | bytes, now: int, window: Window, profiles: Profiles = Profiles.NATIONAL
    ) -> Verdict:
        """As the software machine: each version that may open is tried, newest first."""
        if Profiles.BOUND in profiles:
            self._lacks(Capability.BOUND)
        opening = self._opening()
        return check_opened(payload, now, window, lambda token: self._opened(opening, [token])[0])

    def check_tokens(self, payloads: Sequence[str], profile: Profiles, window: Window) -> AuthenticTokens:
        if profile is not Profiles.NATIONAL:
            self._lacks(Capability.BOUND)
        opening, tokens = self._opening()[:1], list[bytes]()
        for payload in payloads:  # what they are is asked first, all at once; then each is judged
            check_opened(payload, 0, window, tokens.append)
        blocks = dict(zip(tokens, self._opened(opening, tokens), strict=True))
        verdicts = [check_opened(payload, 0, window, blocks.get) for payload in payloads]
        return AuthenticTokens([one.expiry is not None for one in verdicts], [one.expiry or 0 for one in verdicts])

    def _opening(self) -> tuple[int, ...]:
        return self._versions().opening or self._none(Purpose.PROTECTION_KEY, Operation.OPEN)

    def _opened(self, versions: Sequence[int], tokens: Sequence[bytes]) -> list[bytes | None]:
        """The validity blocks behind tokens; None where there is none under any of these versions."""
        found: list[bytes | None] = [None] * len(tokens)
        for version in versions:
            left = [i for i, block in enumerate(found) if block is None]
            head = b"S40000AK%04d0000050010" % (102 + 2 * version)
            for i, (code, block) in zip(left, self._ask([head + tokens[i] for i in left], b"S5"), strict=True):
                if code != _NOT_OURS:
                    _raise_any(code, f"protection_key version {version}")
                    found[i] = block if validity_time(block := _block(block)) is not None else None
        return found

    def _ask(self, bodies: Sequence[bytes], command: bytes) -> list[tuple[int, bytes]]:
        """(code, what follows it) of each answer."""
        answers = self._pool.ask(bodies)
        for answer in answers:
            if len(answer) < 4 or answer[:2] != command or not answer[2:4].isdigit():
                raise Unavailable("the crypto machine answered something else than was asked")
        return [(int(answer[2:4]), answer[4:]) for answer in answers]

    def _none(self, purpose: Purpose, operation: Operation) -> NoReturn:
        raise KeyUnavailable(missing(purpose, operation))

    def _lacks(self, capability: Capability) -> NoReturn:
        raise KeyUnavailable(f"a crypto machine behind the host protocol offers no {capability}")

    def seal_bound(self, card_id: str, expiry: int, sequence: int) -> str:
        self._lacks(Capability.BOUND)

    def seal_compact(self, account: int, *, issuer: int, node: int, serial: int, issued_at: int, ttl: int) -> str:
        self._lacks(Capability.COMPACT)

    def check_compact(self, payload: str | bytes, now: int, tolerance: int) -> CompactVerdict:
        self._lacks(Capability.COMPACT)

    def open_compacts(self, payloads: Sequence[str]) -> list[OpenedCompact | None]:
        self._lacks(Capability.COMPACT)

    def open_alias(self, alias: bytes, day: int) -> int | None:
        self._lacks(Capability.COMPACT)

    def mac(self, data: bytes) -> Made:
        self._lacks(Capability.MAC)

    def check_mac(self, data: bytes, made: Made) -> bool:
        self._lacks(Capability.MAC)

    def sign(self, message: bytes) -> Made:
        self._lacks(Capability.SIGN)

    def verification_keys(self) -> Mapping[int, bytes]:
        self._lacks(Capability.SIGN)

    def wrap(self, secret: bytes | bytearray, name: bytes) -> bytes:
        self._lacks(Capability.WRAP)

    def unwrap(self, wrapped: bytes, name: bytes) -> bytearray:
        self._lacks(Capability.WRAP)

    def close(self) -> None:
        self._pool.close()

    def __repr__(self) -> str:
        return f"<TcpMachine {self._pool.address[0]}:{self._pool.address[1]}>"


def _block(answered: bytes) -> bytes:
    """The sixteen bytes of an answer: 0010 and themselves."""
    if len(answered) != 20 or answered[:4] != b"0010":
        raise Unavailable("the crypto machine answered something else than was asked")
    return answered[4:]


def _raise(code: int, key: str) -> None:
    """For a code that speaks of the key or of the machine; what it says of a row is the row's error."""
    said = f"{key}: the crypto machine answered {code:02}, {CODES.get(code, 'a code that is not documented')}"
    if code in _OF_KEYS:
        raise KeyUnavailable(said)
    if code >= _REFUSES_ALL:
        raise Unavailable(said)


def _raise_any(code: int, key: str) -> None:
    if code:
        _raise(code, key)
        raise Unavailable(f"{key}: the crypto machine answered {code:02}, {CODES.get(code, 'nothing documented')}")
