"""The systems of a service, joined over who holds the keys (keys.py) and where things are kept (stores.py)."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ehc.access.app import Apps
from ehc.access.caller import CallerStore
from ehc.access.looks import LookStore
from ehc.access.operator import DeedStore, OperatorStore
from ehc.access.session import SessionStore
from ehc.access.sign_in import SignIn
from ehc.cards.account import AccountStore
from ehc.cards.accounts import Accounts
from ehc.cards.bulk_registration import BulkRegistrar
from ehc.cards.deriving import Deriver
from ehc.cards.registration import Registrar, temporaries
from ehc.cards.rekeying import RekeyingStore
from ehc.codes.batch import OfflineVerifier
from ehc.codes.batch import late_policy as offline_late_policy
from ehc.codes.issuing import Issuer, making
from ehc.codes.offline_list import ListMaker, offline_policy
from ehc.codes.policy import scene_policy
from ehc.codes.revoking import Revoker
from ehc.codes.verification import Verifier
from ehc.config import Settings
from ehc.errors import Unavailable
from ehc.index.following import Follower
from ehc.index.index import Index, index_over
from ehc.institutions.disabled import DisabledPlaces
from ehc.institutions.late import late_policy
from ehc.institutions.place import PlaceStore
from ehc.institutions.records import Records
from ehc.institutions.register import Register
from ehc.institutions.sightings import Sightings
from ehc.institutions.statistics import Statistics
from ehc.keys.app_secrets import AppSecrets
from ehc.keys.authority import KeyringAuthority
from ehc.keys.keyring import Keyring, Purpose
from ehc.machine.selftest import SelfTest
from ehc.machine.software import SoftwareMachine
from ehc.machine.watch import KeyringWatch
from ehc.ports import Clock, HotState, KeyService
from ehc.registry.national import NationalRegistry
from ehc.registry.registry import Registry
from ehc.sdkauth.authority import Authority
from ehc.sdkauth.registry import AppRegistry, SdkRegistry
from ehc.wiring.keys import Opened, open_keys
from ehc.wiring.registries import open_national
from ehc.wiring.shortcuts import open_offline_shortcut
from ehc.wiring.stores import make_registry, open_store, system_clock

DRAIN_SIGNAL = signal.SIGUSR1
"""Tells a worker that it will be ended soon: `cli` sends it, `web` hears it."""


@dataclass(frozen=True, slots=True)
class Services:
    """The systems of one process, joined."""

    settings: Settings
    clock: Clock
    keys: KeyService
    account_store: AccountStore
    rekeying: RekeyingStore
    hot: HotState
    registrar: Registrar
    bulk: BulkRegistrar
    accounts: Accounts
    issuer: Issuer
    revoker: Revoker
    verifier: Verifier
    offline: OfflineVerifier
    offline_lists: ListMaker
    callers: CallerStore
    apps: Apps
    looks: LookStore
    disabled: DisabledPlaces
    register: Register
    records: Records
    statistics: Statistics
    sightings: Sightings
    places: PlaceStore
    sign_in: SignIn
    operators: OperatorStore
    sessions: SessionStore
    deeds: DeedStore
    self_test: SelfTest | None  # None: the machine is elsewhere
    sdks: SdkRegistry
    app_registry: AppRegistry
    registry: Registry
    national: NationalRegistry | None
    authority: Authority
    index: Index
    follower: Follower | None  # None: the index does not follow the cards
    watch: KeyringWatch | None
    close: Callable[[], None]

    def ready(self) -> bool:
        """Returns when all that serving needs is there, False when it serves what it can without the rest; raises
        Unavailable or KeyUnavailable that says what is not."""
        self.account_store.ready()
        _ = self.keys.security_key_version
        self.keys.seal_validity(self.clock())
        if self.watch is not None and self.watch.problem:
            raise Unavailable(f"the keyring cannot be looked at: {self.watch.problem}")
        return self.hot.ready()


def open_services(
    settings: Settings, passphrase: Callable[[], str] | None = None, clock: Clock = system_clock
) -> Services:
    """Everything behind the service. Raises ConfigError, KeyringError, Unavailable before anything is served."""
    return _services(settings, open_keys(settings, passphrase), clock)


def open_sandbox(settings: Settings, clock: Clock = system_clock) -> Services:
    """The same systems over a database of this host alone, under the published sample keys; no other registry is asked,
    whose people are real. Raises Unavailable."""
    home = str(settings.home_path() / "sandbox")
    own = msgspec.structs.replace(settings, home=home, database="", redis="", national_registry="")
    with Keyring() as keyring:
        keyring.add(Purpose.SECURITY_KEY, bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210"), 0)
        keyring.add(Purpose.PROTECTION_KEY, bytearray.fromhex("11223344556677888877665544332211"), 0)
        keys = Opened(SoftwareMachine.of(keyring), AppSecrets(keyring), KeyringAuthority(keyring))
    return _services(own, keys, clock)


def _services(settings: Settings, opened: Opened, clock: Clock) -> Services:
    policy = scene_policy(settings)
    keys, app_secrets = opened.keys, opened.app_secrets
    national = open_national(settings)
    stores = open_store(settings, clock)

    def close() -> None:
        opened.close()
        stores.close()
        if national is not None:
            national.close()

    derive = Deriver(keys, settings.padding, stores.rekeying.present)
    registrar = Registrar(stores.accounts, derive, temporaries(settings, stores.serials))
    issuer = Issuer(keys, stores.hot, policy, making(settings), stores.serials)
    verifier = Verifier(keys, stores.hot, policy)
    index = index_over(stores.index)
    return Services(
        settings=settings,
        clock=clock,
        keys=keys,
        account_store=stores.accounts,
        rekeying=stores.rekeying,
        hot=stores.hot,
        registrar=registrar,
        bulk=BulkRegistrar(stores.accounts, derive, registrar),
        accounts=Accounts(stores.accounts, derive),
        issuer=issuer,
        revoker=Revoker(keys, stores.hot, policy, issuer, stores.revocations),
        disabled=DisabledPlaces(),
        verifier=verifier,
        offline=OfflineVerifier(
            keys,
            stores.hot,
            policy,
            offline_late_policy(settings),
            open_offline_shortcut(keys, stores.hot, policy),
        ),
        offline_lists=ListMaker(keys, stores.accounts, stores.revocations, policy, offline_policy(settings)),
        callers=stores.callers,
        apps=Apps(stores.apps, app_secrets),
        looks=stores.looks,
        register=Register(stores.places),
        records=Records(stores.places, stores.uses, stores.accounts, keys, late_policy(settings)),
        statistics=Statistics(stores.uses.counts),
        sightings=Sightings(),
        places=stores.places,
        sign_in=SignIn(stores.operators, app_secrets),
        operators=stores.operators,
        sessions=stores.sessions,
        deeds=stores.deeds,
        self_test=opened.self_test,
        sdks=SdkRegistry(stores.sdks, opened.authority),
        app_registry=AppRegistry(stores.sdk_apps, app_secrets),
        registry=make_registry(settings, stores.registry, stores.accounts, derive),
        national=national,
        authority=opened.authority,
        index=index,
        follower=Follower(index.store, index.book, index.loader, stores.card_feed) if settings.index_cards else None,
        watch=opened.watch,
        close=close,
    )
