"""Names every concrete class and joins them; nothing else does.

What only the service needs is imported when it is opened: a command that derives card ids starts without a database.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ehc.access.app import Apps, AppStore
from ehc.access.caller import CallerStore
from ehc.access.looks import LookStore
from ehc.access.operator import DeedStore, OperatorStore
from ehc.access.rate import SHARED_BYTES, Rates
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
from ehc.errors import ConfigError, Unavailable
from ehc.institutions.disabled import DisabledPlaces
from ehc.institutions.late import late_policy
from ehc.institutions.place import PlaceStore
from ehc.institutions.records import Records
from ehc.institutions.register import Register
from ehc.institutions.sightings import Sightings
from ehc.institutions.statistics import Statistics
from ehc.institutions.use import UseStore
from ehc.keys.app_secrets import AppSecrets
from ehc.keys.audit import Actor, Role
from ehc.keys.authority import KeyringAuthority
from ehc.keys.keyring import Keyring, Purpose
from ehc.machine.host_audit import HostAudit
from ehc.machine.host_keys import HostKeys
from ehc.machine.host_pool import LinePool
from ehc.machine.host_server import HostServer, Network
from ehc.machine.host_text import HostVersions
from ehc.machine.selftest import SelfTest
from ehc.machine.software import SoftwareMachine
from ehc.machine.tcp import TcpMachine
from ehc.machine.watch import KeyringWatch
from ehc.ports import AccountLookup, Capability, Clock, HotState, KeyService, Revocations, SerialBlocks
from ehc.sdkauth.authority import Authority
from ehc.sdkauth.registry import AppRegistry, AppRegistryStore, SdkRegistry
from ehc.sdkauth.sdk import SdkStore
from ehc.store.keyring_folder import KeyringFolder

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ehc.store.backup import Copied


DRAIN_SIGNAL = signal.SIGUSR1
"""Tells a worker that it will be ended soon: `cli` sends it, `web` hears it."""


def keyring_folder(settings: Settings) -> KeyringFolder:
    """The folder of the sealed keyring, there or not."""
    return KeyringFolder(settings.keyring_path())


def open_machine(settings: Settings, passphrase: Callable[[], str] | None = None) -> KeyService:
    """The crypto machine of the settings; of the software machine the keys' raw bytes are wiped before this returns.

    passphrase: asks for it; called only when the keyring is sealed under one. Raises KeyringError.
    """
    if settings.machine == "tcp":
        return _tcp_machine(settings)
    with keyring_folder(settings).open(passphrase) as keyring:
        return SoftwareMachine.of(keyring)


def _tcp_machine(settings: Settings) -> TcpMachine:
    pool = LinePool(
        settings.machine_place(), settings.machine_connections, settings.machine_depth, settings.machine_seconds
    )
    security, protection = settings.machine_security_version, settings.machine_protection_versions
    said = HostVersions(security, protection=protection[0] if protection else None, opening=protection)
    return TcpMachine(pool, said if security else None)


def _watched(
    settings: Settings, passphrase: Callable[[], str] | None, *holders: Callable[[Keyring], None]
) -> KeyringWatch:
    """Each takes over the keyring, now and whenever it is changed. Raises KeyringError."""
    folder = keyring_folder(settings)
    known = folder.generation() if folder.sealed.exists() else 0

    def renew() -> None:
        with folder.open(passphrase) as keyring:
            for take_over in holders:
                take_over(keyring)

    renew()
    return KeyringWatch(folder.generation, renew, known)


def open_host(
    settings: Settings, passphrase: Callable[[], str], lines: int, networks: Sequence[Network]
) -> tuple[HostServer, Callable[[], None]]:
    """What `ehc machine serve` runs, with the keys as they are from one second to the next, and how it ends.

    Raises KeyringError, also when its start cannot be written to the audit log.
    """
    keys, log, actor = HostKeys(), keyring_folder(settings).audit, Actor("ehc machine", Role.OPERATOR)
    watch = _watched(settings, passphrase, SelfTest(keys.refuse).take_over, keys.take_over)
    log.append("machine.start", {"networks": [str(network) for network in networks]}, actor)
    audit = HostAudit(lambda act, what: log.append(act, dict(what), actor), keys.counts)

    def end() -> None:
        watch.close()
        audit.end()

    return HostServer(keys, lines, networks, audit.covers), end


_Keys = tuple[KeyService, AppSecrets, KeyringAuthority, SelfTest | None, KeyringWatch | None]


def _open_keys(settings: Settings, passphrase: Callable[[], str] | None) -> _Keys:
    """The machine of a service, which notices within a second what is done to the keyring. With a machine elsewhere
    there need be none here: then apps have no secrets, and nothing is signed."""
    app_secrets, authority = AppSecrets(Keyring()), KeyringAuthority(Keyring())
    holders = (app_secrets.take_over, authority.take_over)
    if settings.machine == "tcp":
        keys = _tcp_machine(settings)
        _require_capabilities(settings, keys)
        here = keyring_folder(settings).sealed.exists()
        return keys, app_secrets, authority, None, _watched(settings, passphrase, *holders) if here else None
    machine = SoftwareMachine(None, None)
    tested = SelfTest(machine.refuse)
    watch = _watched(settings, passphrase, tested.take_over, machine.take_over, *holders)
    return machine, app_secrets, authority, tested, watch


def _require_capabilities(settings: Settings, keys: KeyService) -> None:
    """Raises ConfigError for a profile that the machine has nothing for."""
    needed = {"A": Capability.BOUND, "E2": Capability.COMPACT}
    asked = [("issue_profile", settings.issue_profile), *(("accept_profiles", one) for one in settings.accept_profiles)]
    for name, profile in asked:
        if profile in needed and needed[profile] not in keys.capabilities:
            raise ConfigError(
                f"setting {name} names {profile}, for which machine {settings.machine} has no {needed[profile]}: "
                f"leave {profile} out"
            )


def open_authority(settings: Settings, passphrase: Callable[[], str] | None = None) -> tuple[AppSecrets, Authority]:
    """What seals the keys of apps, and what signs licences and releases. Raises KeyringError."""
    with keyring_folder(settings).open(passphrase) as keyring:
        return AppSecrets(keyring), KeyringAuthority(keyring)


def system_clock() -> int:
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Stores:
    """The storage of one process; `close` gives its connections back."""

    accounts: AccountStore
    rekeying: RekeyingStore
    hot: HotState
    serials: SerialBlocks
    revocations: Revocations
    callers: CallerStore
    apps: AppStore
    looks: LookStore
    places: PlaceStore
    uses: UseStore
    operators: OperatorStore
    sessions: SessionStore
    deeds: DeedStore
    sdks: SdkStore
    sdk_apps: AppRegistryStore
    close: Callable[[], None]


def open_store(settings: Settings, clock: Clock = system_clock) -> Stores:
    """The storage that the settings name, its schema brought up to date. Raises ConfigError, Unavailable."""
    from ehc.store.callers import SqlCallerStore, SqlLookStore
    from ehc.store.database import migrate, open_engine
    from ehc.store.institutions import SqlPlaceStore
    from ehc.store.operators import SqlDeedStore, SqlOperatorStore, SqlSessionStore
    from ehc.store.rekeying import SqlRekeyingStore
    from ehc.store.revocations import SqlRevocations
    from ehc.store.sdk_apps import SqlAppRegistryStore
    from ehc.store.sdks import SqlSdkStore
    from ehc.store.serials import SqlSerialBlocks
    from ehc.store.sql_accounts import SqlAccountStore
    from ehc.store.use_records import SqlUseStore

    engine = open_engine(settings.database_url())
    migrate(engine)
    callers, looks = SqlCallerStore(engine), SqlLookStore(engine)
    hot = open_hot_state(settings, SqlAccountStore(engine), clock)

    def close() -> None:
        hot.close()
        engine.dispose()

    serials = SqlSerialBlocks(engine, settings.issuer, settings.node, clock)
    accounts, rekeying = SqlAccountStore(engine, hot.changing), SqlRekeyingStore(engine)
    places, uses = SqlPlaceStore(engine), SqlUseStore(engine)
    desk = SqlOperatorStore(engine), SqlSessionStore(engine), SqlDeedStore(engine)
    sdks = SqlSdkStore(engine), SqlAppRegistryStore(engine)
    asked = callers, callers, looks
    revoked = SqlRevocations(engine)
    return Stores(accounts, rekeying, hot, serials, revoked, *asked, places, uses, *desk, *sdks, close)


def migrate_database(settings: Settings) -> str | None:
    """Bring the schema up to date; where it stands now. Raises ConfigError, Unavailable."""
    from ehc.store.database import migrate, revision

    with _database(settings) as engine:
        migrate(engine)
        return revision(engine)


def back_up(settings: Settings, target: Path) -> Copied:
    """As store.backup.backup, of the settings' database."""
    from ehc.store.backup import backup

    with _database(settings) as engine:
        return backup(engine, target)


def restore(settings: Settings, source: Path) -> Copied:
    """As store.backup.restore, into the settings' database."""
    from ehc.store.backup import restore

    with _database(settings) as engine:
        return restore(engine, source)


@contextmanager
def open_rekeying(settings: Settings) -> Iterator[RekeyingStore]:
    """Of the settings' database. Raises ConfigError, Unavailable, also for a schema that is behind."""
    from ehc.store.database import require_current
    from ehc.store.rekeying import SqlRekeyingStore

    with _database(settings) as engine:
        require_current(engine)
        yield SqlRekeyingStore(engine)


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    from ehc.store.database import open_engine

    engine = open_engine(settings.database_url())
    try:
        yield engine
    finally:
        engine.dispose()


def open_rates(folder: Path | None) -> Rates:
    """Of all processes that are given this folder, together; None: of this process alone. Raises Unavailable."""
    from ehc.store.taken_codes import mapped

    if folder is None:
        return Rates()
    try:
        return Rates(mapped(folder / "rates", SHARED_BYTES))
    except OSError as error:
        raise Unavailable(f"{folder / 'rates'} cannot be written: {error.strerror}") from error


def open_hot_state(settings: Settings, cards: AccountLookup, clock: Clock) -> HotState:
    """In Redis when the settings name one, else in files of this host. Raises ConfigError, Unavailable."""
    if settings.redis:
        from ehc.store.hot_redis import KEEP_AFTER, RedisHotState

        hot = RedisHotState(settings.redis, cards, clock, KEEP_AFTER + settings.offline_seconds)
        if settings.redis_gone == "refuse":
            return hot
        from ehc.store.hot_degraded import DegradingHotState

        return DegradingHotState(hot, cards)
    from ehc.store.hot_mapped import MappedHotState

    return MappedHotState(settings.hot_path(), cards, clock)


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
    authority: Authority
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
    return _services(settings, _open_keys(settings, passphrase), clock)


def open_sandbox(settings: Settings, clock: Clock = system_clock) -> Services:
    """The same systems over a database of this host alone, under the published sample keys. Raises Unavailable."""
    own = msgspec.structs.replace(settings, home=str(settings.home_path() / "sandbox"), database="", redis="")
    with Keyring() as keyring:
        keyring.add(Purpose.SECURITY_KEY, bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210"), 0)
        keyring.add(Purpose.PROTECTION_KEY, bytearray.fromhex("11223344556677888877665544332211"), 0)
        keys = SoftwareMachine.of(keyring), AppSecrets(keyring), KeyringAuthority(keyring), None, None
    return _services(own, keys, clock)


def _services(settings: Settings, opened: _Keys, clock: Clock) -> Services:
    policy = scene_policy(settings)
    keys, app_secrets, authority, self_test, watch = opened
    stores = open_store(settings, clock)

    def close() -> None:
        if watch is not None:
            watch.close()
        if isinstance(keys, TcpMachine):
            keys.close()
        stores.close()

    derive = Deriver(keys, settings.padding, stores.rekeying.present)
    registrar = Registrar(stores.accounts, derive, temporaries(settings, stores.serials))
    issuer = Issuer(keys, stores.hot, policy, making(settings), stores.serials)
    verifier = Verifier(keys, stores.hot, policy)
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
        offline=OfflineVerifier(keys, stores.hot, policy, offline_late_policy(settings)),
        offline_lists=ListMaker(keys, stores.accounts, stores.revocations, policy, offline_policy(settings)),
        callers=stores.callers,
        apps=Apps(stores.apps, app_secrets),
        looks=stores.looks,
        register=Register(stores.places),
        records=Records(stores.places, stores.uses, stores.accounts, keys, late_policy(settings)),
        statistics=Statistics(stores.uses.counts),
        sightings=Sightings(),
        places=stores.places,
        sign_in=SignIn(stores.operators),
        operators=stores.operators,
        sessions=stores.sessions,
        deeds=stores.deeds,
        self_test=self_test,
        sdks=SdkRegistry(stores.sdks, authority),
        app_registry=AppRegistry(stores.sdk_apps, app_secrets),
        authority=authority,
        watch=watch,
        close=close,
    )
