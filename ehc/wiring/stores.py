"""Where things are kept: database, hot state, rates.

What only the service needs is imported when it is opened: a command that derives card ids starts without a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ehc.access.app import AppStore
from ehc.access.caller import CallerStore
from ehc.access.looks import LookStore
from ehc.access.operator import DeedStore, OperatorStore
from ehc.access.rate import SHARED_BYTES, Rates
from ehc.access.session import SessionStore
from ehc.cards.account import AccountStore
from ehc.cards.deriving import Deriver
from ehc.cards.rekeying import RekeyingStore
from ehc.config import Settings
from ehc.crypto.hot import wall_seconds
from ehc.errors import Unavailable
from ehc.index.following import CardFeed
from ehc.index.index_store import IndexStore
from ehc.institutions.place import PlaceStore
from ehc.institutions.use import UseStore
from ehc.ports import AccountLookup, Clock, HotState, KeyService, Revocations, SerialBlocks
from ehc.registry.card import RegistryStore
from ehc.registry.intake import Intake
from ehc.registry.registry import Registry
from ehc.sdkauth.registry import AppRegistryStore
from ehc.sdkauth.sdk import SdkStore

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ehc.store.backup import Copied


system_clock: Clock = wall_seconds


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
    registry: RegistryStore
    index: IndexStore
    card_feed: CardFeed
    close: Callable[[], None]


def open_store(settings: Settings, clock: Clock = system_clock) -> Stores:
    """The storage that the settings name, its schema brought up to date. Raises ConfigError, Unavailable."""
    from ehc.store.callers import SqlCallerStore, SqlLookStore
    from ehc.store.card_feed import SqlCardFeed
    from ehc.store.database import migrate, open_engine
    from ehc.store.institutions import SqlPlaceStore
    from ehc.store.operators import SqlDeedStore, SqlOperatorStore, SqlSessionStore
    from ehc.store.physical_cards import SqlRegistryStore
    from ehc.store.rekeying import SqlRekeyingStore
    from ehc.store.revocations import SqlRevocations
    from ehc.store.sdk_apps import SqlAppRegistryStore
    from ehc.store.sdks import SqlSdkStore
    from ehc.store.serials import SqlSerialBlocks
    from ehc.store.sql_accounts import SqlAccountStore
    from ehc.store.sql_index import SqlIndexStore
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
    kept, feed = (SqlRegistryStore(engine), SqlIndexStore(engine)), SqlCardFeed(engine)
    return Stores(accounts, rekeying, hot, serials, revoked, *asked, places, uses, *desk, *sdks, *kept, feed, close)


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
def open_registry(settings: Settings, keys: KeyService, *, lazily: bool = False) -> Iterator[Registry]:
    """The registry of physical cards over the settings' database, its schema brought up to date. It needs no hot state:
    it makes accounts, and changes none. lazily: its commits are on the disk when the store says so (`settle`). Raises
    ConfigError, Unavailable."""
    from ehc.store.database import commit_lazily, migrate
    from ehc.store.physical_cards import SqlRegistryStore
    from ehc.store.rekeying import SqlRekeyingStore
    from ehc.store.sql_accounts import SqlAccountStore

    with _database(settings) as engine:
        if lazily:
            commit_lazily(engine)
        migrate(engine)
        derive = Deriver(keys, settings.padding, SqlRekeyingStore(engine).present)
        yield make_registry(settings, SqlRegistryStore(engine), SqlAccountStore(engine), derive)


def make_registry(settings: Settings, store: RegistryStore, accounts: AccountStore, derive: Deriver) -> Registry:
    return Registry(settings.registry, store, Intake(store, accounts, derive))


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
