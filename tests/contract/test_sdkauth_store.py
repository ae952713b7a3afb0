"""SDKs, apps, keys, grants and quotas in both databases: what two do at once has one winner."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import exc, text
from store_factories import in_process

from ehc.access.caller import Scope
from ehc.errors import Conflict, NotFound
from ehc.sdkauth.act import Act
from ehc.sdkauth.app import AppState, new_app
from ehc.sdkauth.grant import Quota, new_grant
from ehc.sdkauth.key import AppKey
from ehc.sdkauth.sdk import Release, Sdk, SdkId, SdkState
from ehc.store.database import open_engine
from ehc.wiring.stores import Stores

ACT = Act(5, "li.na", "asked for")
ID = SdkId("ehc", "1.0.0", "android")
APP = new_app("city-app", "市卫健委", 1, package="cn.example.health", certificate=bytes(32), rate=7)
GRANT = new_grant("city-app", "ehc", "*", ["codes"], ["H-2", "H-1"], begins_at=0, ends_at=99, quota=Quota(10, "whole"))


def test_a_release_s_life_is_kept(stores: Stores) -> None:
    stores.sdks.add(Sdk(ID, SdkState.DRAFT, 5, "first"), ACT)
    with pytest.raises(Conflict):
        stores.sdks.add(Sdk(ID, SdkState.DRAFT, 6), ACT)
    for parts in ([b"old", b"file", b"!"], [b"new ", b"file"]):
        stores.sdks.put_file(ID, parts, b"d" * 32, len(b"".join(parts)), ACT)
    assert b"".join(stores.sdks.file(ID)) == b"new file"
    stores.sdks.move(ID, SdkState.DRAFT, SdkState.REVIEW, None, ACT)
    with pytest.raises(Conflict, match="draft alone"):
        stores.sdks.put_file(ID, [b"x"], b"e" * 32, 1, ACT)
    done = stores.sdks.move(ID, SdkState.REVIEW, SdkState.PUBLISHED, Release(b"s" * 64, 3), ACT)
    assert stores.sdks.find(ID) == done == Sdk(ID, SdkState.PUBLISHED, 5, "first", 8, b"d" * 32, b"s" * 64, 3)
    with pytest.raises(Conflict, match="somebody else"):
        stores.sdks.move(ID, SdkState.REVIEW, SdkState.REVOKED, None, ACT)
    assert [one.id for one in stores.sdks.all()] == [ID]
    with pytest.raises(NotFound):
        stores.sdks.find(ID._replace(version="2.0.0"))


def test_an_app_is_a_caller_and_ends_as_one(stores: Stores) -> None:
    before = stores.callers.version(), stores.sdk_apps.changes()
    stores.sdk_apps.add(APP, ACT)
    assert stores.sdk_apps.find("city-app") == APP
    assert stores.callers.version() > before[0]
    assert stores.sdk_apps.changes() > before[1]
    assert [one.caller.name for one in stores.callers.all(5)] == ["city-app"]
    with pytest.raises(Conflict, match="city-app"):
        stores.sdk_apps.add(APP, ACT)
    stores.sdk_apps.amend("city-app", "r-2", b"p" * 64, ACT)
    assert stores.sdk_apps.find("city-app") == replace(APP, report="r-2", public_key=b"p" * 64)
    stores.sdk_apps.move("city-app", AppState.DRAFT, AppState.REVOKED, ACT)
    assert stores.callers.all(5)[0].revoked_at == 5
    assert stores.sdk_apps.known(5).apps == []


def test_a_revoked_caller_is_a_revoked_app(stores: Stores) -> None:
    stores.sdk_apps.add(APP, ACT)
    stores.sdk_apps.add_key(AppKey("k-1", "city-app", "hmac", 1, b"sealed"), ACT)
    stores.callers.revoke("city-app", 9)
    assert stores.sdk_apps.find("city-app").state is AppState.REVOKED
    assert (stores.sdk_apps.known(9).apps, stores.sdk_apps.known(9).keys) == ([], [])


def test_a_key_is_live_until_it_ends_and_fetched_once(stores: Stores) -> None:
    stores.sdk_apps.add(APP, ACT)
    keys = [AppKey(f"k-{i}", "city-app", "hmac", i, b"sealed") for i in range(4)]
    for key in keys[:2]:
        stores.sdk_apps.add_key(key, ACT)
    with pytest.raises(Conflict, match="two hmac keys"):
        stores.sdk_apps.add_key(keys[2], ACT)
    assert stores.sdk_apps.end_key("city-app", "k-0", 2, ACT).ends_at == 2
    assert stores.sdk_apps.end_key("city-app", "k-0", 50, ACT).ends_at == 2  # never longer
    stores.sdk_apps.add_key(keys[2], ACT)
    assert [key.id for key in stores.sdk_apps.known(2).keys] == ["k-1", "k-2"]
    assert stores.sdk_apps.fetch_key("city-app", "k-1", ACT).fetched_at == 5
    with pytest.raises(Conflict, match="downloaded already"):
        stores.sdk_apps.fetch_key("city-app", "k-1", ACT)
    with pytest.raises(NotFound):
        stores.sdk_apps.fetch_key("city-app", "k-9", ACT)


def test_of_many_who_fetch_one_key_at_once_one_gets_it(stores: Stores) -> None:
    stores.sdk_apps.add(APP, ACT)
    stores.sdk_apps.add_key(AppKey("k-1", "city-app", "hmac", 1, b"sealed"), ACT)

    def fetch(_: int) -> bool:
        try:
            return stores.sdk_apps.fetch_key("city-app", "k-1", ACT).fetched_at == 5
        except Conflict:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(fetch, range(16))) == 1


def test_of_many_keys_that_are_added_at_once_two_are_live(stores: Stores) -> None:
    stores.sdk_apps.add(APP, ACT)

    def add(i: int) -> bool:
        try:
            stores.sdk_apps.add_key(AppKey(f"k-{i}", "city-app", "sm2", 1, public_key=b"p" * 64), ACT)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(12))) == 2


def test_a_grant_comes_back_as_it_was(stores: Stores) -> None:
    stores.sdk_apps.add(APP, ACT)
    made = stores.sdk_apps.add_grant(GRANT, ACT)
    assert made == replace(GRANT, number=made.number)
    every = stores.sdk_apps.add_grant(replace(GRANT, institutions=None, quota=None, scopes=frozenset(Scope)), ACT)
    assert stores.sdk_apps.grants("city-app") == [made, every]
    assert stores.sdk_apps.known(98).grants == [made, every]
    assert stores.sdk_apps.known(99).grants == []
    assert stores.sdk_apps.revoke_grant("city-app", made.number, ACT).revoked_at == 5
    assert stores.sdk_apps.known(5).grants == [every]
    with pytest.raises(NotFound):
        stores.sdk_apps.revoke_grant("city-app", 999, ACT)


def spend(stores: Stores, number: int, times: int) -> int:
    return sum(stores.sdk_apps.use(number, 0, 1 + i % 3, 100) for i in range(times))


def test_a_quota_is_exact_over_processes_and_threads(stores: Stores, factory: str, tmp_path: Path) -> None:
    stores.sdk_apps.add(APP, ACT)
    number = stores.sdk_apps.add_grant(GRANT, ACT).number
    with get_context("spawn").Pool(2) as pool, ThreadPoolExecutor(4) as threads:
        arguments = (spend, factory, str(tmp_path), number, 30)
        others = [pool.apply_async(in_process, arguments) for _ in range(2)]
        own = [threads.submit(spend, stores, number, 30) for _ in range(4)]
        assert sum(one.get() for one in others) + sum(one.result() for one in own) == 100
    assert stores.sdk_apps.used(number, 0) == 100
    assert stores.sdk_apps.use(number, 1, 3, 100) == 3  # the next period begins anew


def test_events_only_grow(stores: Stores, tmp_path: Path) -> None:
    stores.sdk_apps.add(APP, ACT)
    url = (tmp_path / "database.url").read_text() if (tmp_path / "database.url").exists() else ""
    engine = open_engine(url or f"sqlite:///{tmp_path / 'ehc.db'}")
    for statement in ("UPDATE sdk_events SET at = 2", "DELETE FROM sdk_events"):
        with pytest.raises(exc.DBAPIError, match="only grow"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
