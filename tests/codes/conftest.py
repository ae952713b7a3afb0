"""The codes room on a real software machine and a real SQLite file, with a clock that stands where a test puts it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ehc.cards.registration import Registrar
from ehc.codes.issuing import Issuer
from ehc.codes.policy import scene_policy
from ehc.codes.verification import Verification, Verifier
from ehc.config import Settings
from ehc.crypto import KeyHandle
from ehc.machine.software import SoftwareMachine
from ehc.model import Card
from ehc.store.database import open_engine
from ehc.store.sql import SqlCardStore, SqlClaimStore
from ehc.wiring import Stores, open_store

ROOT = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
PROTECT = bytes.fromhex("11223344556677888877665544332211")


@dataclass
class Room:
    """Everything behind one set of settings; `card` is the specification's sample person's."""

    keys: SoftwareMachine
    stores: Stores
    issuer: Issuer
    verifier: Verifier
    registrar: Registrar
    card: Card

    def check(self, payload: str | bytes, scene: str, now: int) -> Verification:
        return self.verifier.check(payload, scene, now)

    def reason(self, payload: str | bytes, scene: str, now: int) -> tuple[int, str]:
        verdict = self.check(payload, scene, now).verdict
        return verdict.step, verdict.reason.value


NOW = 1_767_225_600  # 2026-01-01T00:00:00Z


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated SQLite file; migrating one for every test would take most of the time."""
    home = tmp_path_factory.mktemp("empty")
    open_store(Settings(home=str(home))).close()
    return (home / "ehc.db").read_bytes()


@pytest.fixture
def room(tmp_path: Path, empty_database: bytes) -> Iterator[Callable[..., Room]]:
    """room(setting=value, …) -> Room; all rooms of one test share the database."""
    (tmp_path / "ehc.db").write_bytes(empty_database)
    engine = open_engine(Settings(home=str(tmp_path)).database_url())
    stores = Stores(SqlCardStore(engine), SqlClaimStore(engine), engine.dispose)

    def make(**settings: object) -> Room:
        effective = Settings(home=str(tmp_path), **settings)  # type: ignore[arg-type]
        keys = SoftwareMachine(KeyHandle(ROOT, "security_key", 1), KeyHandle(PROTECT, "protection_key", 1))
        policy = scene_policy(effective)
        registrar = Registrar(keys, stores.cards, effective.padding)
        card, _ = registrar.register("01", "11010020171225006X", "电子健康卡", NOW - 1000)
        issuer, verifier = Issuer(keys, stores.cards, policy), Verifier(keys, stores.cards, stores.claims, policy)
        return Room(keys, stores, issuer, verifier, registrar, card)

    yield make
    stores.close()
