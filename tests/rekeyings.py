"""A province to re-key: accounts over a real store, a machine of many versions, the job; and a model of it all."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

from invented_cards import KEY, person

from ehc.cards.account import Outcome
from ehc.cards.accounts import Accounts, Act
from ehc.cards.bulk_registration import BulkRegistrar, columns_of
from ehc.cards.deriving import Deriver
from ehc.cards.registration import Registrar, Temporaries
from ehc.cards.rekeying import OVER, SAID, Phase, Rekeyer
from ehc.crypto import derive_batch
from ehc.crypto.batch import Padding
from ehc.keys.keyring import Keyring, KeyState, Purpose, new_entry
from ehc.machine.software import SoftwareMachine
from ehc.model import AccountState, Card, Identity
from ehc.wiring.stores import Stores

VERSIONS = range(1, 250)
NOW = 1_767_225_600


def key_of(version: int) -> bytes:
    return KEY if version == 1 else bytes([version] * 16)


@lru_cache
def machine(active: int = 1) -> SoftwareMachine:
    """Of all versions; older ones make card ids as well when asked, as several active versions do."""
    state = {True: KeyState.ACTIVE, False: KeyState.PRE_ACTIVE}
    entries = [
        new_entry(Purpose.SECURITY_KEY, version, state[version <= active], NOW, bytearray(key_of(version)))
        for version in VERSIONS
    ]
    return SoftwareMachine.of(Keyring(entries))


@lru_cache(100_000)
def card_id(i: int, version: int, name: str | None = None) -> str:
    """What that version gives person i."""
    id_type, id_number, own = person(i)
    return derive_batch([(id_type, id_number, name or own)], key_of(version)).hex().card_id[0]


@dataclass
class Province:
    stores: Stores
    most: int = 7
    active: int = 2
    padding: Padding = "full"

    def __post_init__(self) -> None:
        store, keys = self.stores.accounts, machine(self.active)
        derive = Deriver(keys, self.padding, self.stores.rekeying.present)
        self.registrar = Registrar(store, derive, Temporaries(self.stores.serials))
        self.bulk = BulkRegistrar(store, derive, self.registrar)
        self.accounts = Accounts(store, derive)
        self.rekeyer = Rekeyer(self.stores.rekeying, keys, self.padding, self.most)

    def register(self, i: int) -> Card:
        found = self.registrar.register(Identity(*person(i)), NOW).card
        assert found is not None
        return found

    def register_many(self, which: range) -> None:
        outcomes = self.bulk.register(columns_of([person(i) for i in which]), NOW)
        assert {one.outcome for one in outcomes} == {Outcome.CREATED}

    def rename(self, card: Card, name: str) -> Card:
        return self.accounts.rename(card, name, Act(NOW, "", "married"))

    def cancel(self, card: Card) -> Card:
        return self.accounts.cancel(card, Act(NOW, "", "moved away"))

    def find(self, card_id: str) -> Card | None:
        return self.stores.accounts.card(card_id)

    def of(self, i: int) -> Card | None:
        return self.stores.accounts.card_of_document(*person(i)[:2])

    def begin(self, old: int = 1) -> None:
        self.rekeyer.begin(old, old + 1, NOW)

    def work(self, until: Phase | None = None) -> Phase:
        """To the end of what the phase wants, or into that one."""
        while self.rekeyer.state().phase is not until and self.rekeyer.step(NOW):
            pass
        return self.rekeyer.state().phase

    def stale(self) -> "Province":
        """With a machine that has the old version active alone: as before, or of a worker that has not heard yet."""
        return replace(self, active=1)


@dataclass
class Person:
    name: str
    state: AccountState = AccountState.NORMAL
    shown: set[tuple[str, int]] = field(default_factory=set)  # names and versions whose ids were given out


@dataclass
class Model:
    """What everybody may rely on, whatever step the job is at."""

    people: dict[int, Person] = field(default_factory=dict)
    phase: Phase = Phase.ROLLED_BACK
    present: int = 1
    old: int = 1

    @property
    def open(self) -> bool:
        return self.phase not in OVER

    def allows(self, phase: Phase) -> bool:
        return self.phase in SAID[phase]

    def register(self, i: int) -> None:
        self.people[i] = Person(person(i)[2], shown={(person(i)[2], self.present)})

    def rename(self, i: int, name: str) -> None:
        self.people[i].name = name
        self.people[i].shown.add((name, self.present))

    def begin(self) -> None:
        self.phase, self.old = Phase.BACKFILL, self.present

    def enter(self, phase: Phase) -> None:
        self.phase = phase
        self.present = {Phase.GRACE: self.old + 1, Phase.ROLL_BACK: self.old}.get(phase, self.present)
        for one in self.people.values() if phase is Phase.GRACE else ():
            one.shown.add((one.name, self.present))

    def ended(self, version: int) -> bool:
        if self.phase in {Phase.RETIRE, Phase.RETIRED}:
            return version < self.present
        return self.phase in {Phase.ROLL_BACK, Phase.ROLLED_BACK} and version > self.present

    def check(self, province: Province, i: int) -> None:
        """Person i: every id that was given out finds the card, unless its version ended; the present one is shown."""
        one, card = self.people[i], province.of(i)
        assert card is not None, f"person {i} is gone"
        assert (card.identity.name, card.state) == (one.name, one.state), f"person {i} is not as acknowledged"
        assert card.card_id == card_id(i, card.key_version, one.name)
        for name, version in one.shown:
            found = province.find(card_id(i, version, name))
            if self.ended(version):
                assert found is None, f"person {i}: an id of version {version} finds somebody in {self.phase}"
            else:
                assert found is not None, f"person {i}: an id of version {version} finds nobody in {self.phase}"
                assert found.account == card.account
        if not province.rekeyer.state().due if self.open else True:
            assert card.key_version == self.present, f"person {i}: shown under {card.key_version} in {self.phase}"

    def forget_ended(self) -> None:
        """Once it is over; ids of a version that ended may be made again by the next rekeying."""
        for one in self.people.values():
            one.shown = {(name, version) for name, version in one.shown if not self.ended(version)}
