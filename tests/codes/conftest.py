"""The codes room on a real software machine and a real SQLite file, with a clock that stands where a test puts it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from plain_cards import Cards

from ehc.cards.account import AccountStore
from ehc.cards.deriving import Deriver
from ehc.cards.registration import Registrar, temporaries
from ehc.codes.issuing import IssuedCode, Issuer, making
from ehc.codes.policy import scene_policy
from ehc.codes.reading import token_code
from ehc.codes.verification import Verification, Verifier
from ehc.config import Settings
from ehc.crypto import CompactKey, KeyHandle
from ehc.machine.software import SoftwareMachine
from ehc.model import Card, Identity, Profile
from ehc.store.database import open_engine
from ehc.store.hot_mapped import MappedHotState
from ehc.store.serials import SqlSerialBlocks
from ehc.store.sql_accounts import SqlAccountStore
from ehc.wiring.stores import open_store

ROOT = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
NOW = 1_767_225_600  # 2026-01-01T00:00:00Z
PROTECT = bytes.fromhex("11223344556677888877665544332211")


def wait(answer: Any) -> Any:
    """What came at once, or what is to be awaited."""

    async def waited(later: Awaitable[Any]) -> Any:
        return await later

    return asyncio.run(waited(answer)) if isinstance(answer, Awaitable) else answer


@dataclass
class Stores:
    """What this room asks of the storage."""

    cards: Cards
    accounts: AccountStore
    hot: MappedHotState
    serials: SqlSerialBlocks


@dataclass
class Waiting:
    """The issuer, waited for."""

    issuer: Issuer

    def static(self, card_id: str, now: int = NOW) -> IssuedCode:
        code: IssuedCode = wait(self.issuer.static(card_id, now))
        return code

    def dynamic(self, card_id: str, now: int, profile: Profile | None = None) -> IssuedCode:
        code: IssuedCode = wait(self.issuer.dynamic(card_id, now, profile))
        return code


@dataclass
class Room:
    """Everything behind one set of settings; `card` is the specification's sample person's."""

    keys: SoftwareMachine
    stores: Stores
    issuer: Waiting
    verifier: Verifier
    registrar: Registrar
    card: Card

    def check(
        self, payload: str | bytes, scene: str, now: int, place: str = "", *, disabled: bool = False
    ) -> Verification:
        found: Verification = wait(self.verifier.check(payload, scene, now, place, disabled=disabled))
        return found

    def remember(self, card_id: str, token: str, issued_at: int, until: int) -> None:
        self.stores.hot.remember(card_id, token_code(card_id, token, bound=False), issued_at, until)

    def reason(self, payload: str | bytes, scene: str, now: int, place: str = "") -> tuple[int, str]:
        verdict = self.check(payload, scene, now, place).verdict
        return verdict.step, verdict.reason.value


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
    hot = MappedHotState(tmp_path / "hot", SqlAccountStore(engine), lambda: NOW)
    accounts = SqlAccountStore(engine, hot.changing)
    stores = Stores(Cards(accounts), accounts, hot, SqlSerialBlocks(engine, 0, 0, lambda: NOW))

    def make(**settings: object) -> Room:
        effective = Settings(home=str(tmp_path), **settings)  # type: ignore[arg-type]
        handles = KeyHandle(ROOT, "security_key", 1), KeyHandle(PROTECT, "protection_key", 1)
        keys = SoftwareMachine(*handles, compact_keys=[CompactKey(PROTECT, 1)])
        policy = scene_policy(effective)
        derive = Deriver(keys, effective.padding)
        registrar = Registrar(stores.accounts, derive, temporaries(effective, stores.serials))
        card = registrar.register(Identity("01", "11010020171225006X", "电子健康卡"), NOW - 1000).card
        issuer, verifier = (
            Waiting(Issuer(keys, stores.hot, policy, making(effective), stores.serials)),
            Verifier(keys, stores.hot, policy),
        )
        return Room(keys, stores, issuer, verifier, registrar, card)

    yield make
    engine.dispose()
