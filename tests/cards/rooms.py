"""The rules over a real crypto machine and a real SQLite file."""

from dataclasses import dataclass, replace

from ehc.cards.account import AccountStore, EventKind
from ehc.cards.accounts import Accounts, Act
from ehc.cards.bulk_registration import BulkRegistrar
from ehc.cards.deriving import Deriver
from ehc.cards.life import change
from ehc.cards.registration import Registrar, Temporaries
from ehc.crypto import KeyHandle
from ehc.machine.software import SoftwareMachine
from ehc.model import AccountState, Card, Identity
from ehc.wiring.stores import Stores

ROOT = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
NOW = 1_767_225_600
SAMPLE = Identity("01", "11010020171225006X", "电子健康卡")
PASSPORT = Identity("03", "E00000000", "TEST PERSON")


@dataclass
class Room:
    stores: Stores
    store: AccountStore
    registrar: Registrar
    accounts: Accounts
    bulk: BulkRegistrar

    def card(self, person: Identity = SAMPLE) -> Card:
        found = self.registrar.register(person, NOW, "desk").card
        assert found is not None
        return found

    def temporary(self, name: str = "测试") -> Card:
        found = self.registrar.register_temporary(name, None, NOW, "desk").card
        assert found is not None
        return found

    def put(self, card: Card, state: AccountState) -> Card:
        """As if review had left it so."""
        anywhere = replace(change(EventKind.MODIFIED, "desk"), allowed=frozenset(AccountState), state=state)
        return self.store.apply(card.account, anywhere, NOW)

    def kinds(self, card: Card) -> list[str]:
        return [event.kind.value for event in self.accounts.history(card)]


def act(reason: str = "a test", by: str = "desk", now: int = NOW + 5) -> Act:
    return Act(now, by, reason)


def make_room(stores: Stores, version: int = 1, padding: str = "full", days: int = 30, root: bytes = ROOT) -> Room:
    derive = Deriver(SoftwareMachine(KeyHandle(root, "security_key", version), None), padding)  # type: ignore[arg-type]
    store = stores.accounts
    registrar = Registrar(store, derive, Temporaries(stores.serials, 330100, 2, days))
    return Room(stores, store, registrar, Accounts(store, derive), BulkRegistrar(store, derive, registrar))
