"""Lives of SDKs and apps, ranges of versions, what a grant allows, quotas' periods."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from ehc.access.caller import Scope
from ehc.errors import Conflict, InputError
from ehc.sdkauth import app as apps
from ehc.sdkauth import sdk as sdks
from ehc.sdkauth.app import AppState, new_app
from ehc.sdkauth.grant import Quota, lacks, new_grant, speaks_for
from ehc.sdkauth.key import AppKey, require_room
from ehc.sdkauth.sdk import Sdk, SdkId, SdkState, is_in, parse_id, versions_of

NOW = 1_767_225_600  # 2026-01-01T00:00:00Z, 08:00 in China
SDK = Sdk(SdkId("ehc-client", "1.4.0", "android"), SdkState.DRAFT, NOW, digest=bytes(32), size=1)
LIFE = {
    ("draft", "review"), ("draft", "revoked"), ("review", "draft"), ("review", "published"), ("review", "revoked"),
    ("published", "deprecated"), ("published", "revoked"), ("deprecated", "published"), ("deprecated", "revoked"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), list(product(SdkState, SdkState)))
def test_an_sdk_goes_only_where_its_life_leads(old: SdkState, new: SdkState) -> None:
    if (old.value, new.value) in LIFE:
        sdks.require_next(replace(SDK, state=old), new)
    else:
        with pytest.raises(Conflict, match="may come next"):
            sdks.require_next(replace(SDK, state=old), new)


def test_an_sdk_without_a_file_is_not_reviewed() -> None:
    with pytest.raises(Conflict, match="no file"):
        sdks.require_next(replace(SDK, digest=None), SdkState.REVIEW)


@pytest.mark.parametrize(("old", "new"), list(product(AppState, AppState)))
def test_an_app_goes_only_where_its_life_leads(old: AppState, new: AppState) -> None:
    pairs = {(a.replace("published", "approved").replace("deprecated", "suspended"),
              b.replace("published", "approved").replace("deprecated", "suspended")) for a, b in LIFE}  # fmt: skip
    app = replace(an_app(), state=old, report="r-1")
    if (old.value, new.value) in pairs:
        apps.require_next(app, new)
    else:
        with pytest.raises(Conflict, match="may come next"):
            apps.require_next(app, new)


def an_app(**changes: Any) -> apps.RegisteredApp:
    usual = {"package": "cn.example.health", "certificate": bytes(32)}
    return new_app("city-app", "市卫健委", NOW, **(usual | changes))


def test_an_app_without_a_test_report_is_not_approved_but_may_use_the_sandbox() -> None:
    with pytest.raises(Conflict, match="no test report"):
        apps.require_next(replace(an_app(), state=AppState.REVIEW), AppState.APPROVED)
    assert an_app(sandbox=True).usable
    assert not an_app().usable
    assert not replace(an_app(sandbox=True), state=AppState.SUSPENDED).usable


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"package": ""}, "package"),
        ({"package": "1a.b"}, "package"),
        ({"package": "a..b"}, "package"),
        ({"certificate": None}, "certificate"),
        ({"kind": "system"}, "package"),
        ({"report": "x" * 201}, "report"),
        ({"rate": 0}, "rate"),
    ],
)
def test_an_app_of_another_form_is_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=f"^{named}"):
        an_app(**change)


@pytest.mark.parametrize(
    "text", ["", "a/1.0.0", "a/1.0/b", "a/01.0.0/b", "a/1.0.0/B", "-a/1.0.0/b", "a/1.0.0/b/c", "a/v1.0.0/b"]
)
def test_an_sdk_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_id(text)


@pytest.mark.parametrize(
    ("version", "versions", "inside"),
    [
        ("1.2.3", "*", True),
        ("1.2.3", ">=1.2.3 <2.0.0", True),
        ("2.0.0", ">=1.2.3,<2.0.0", False),
        ("2.0.0-rc.1", "<2.0.0", True),
        ("1.10.0", ">1.9.0", True),
        ("1.2.3", "1.2.3", True),
        ("1.2.4", "=1.2.3", False),
        ("1.2.3+build.7", "1.2.3", True),
    ],
)
def test_versions_are_ordered_as_semver_says(version: str, versions: str, inside: bool) -> None:
    assert is_in(version, versions_of(versions)) is inside


@pytest.mark.parametrize("text", ["", " ", "* *", "^1.2.3", "1.x", ">=1", "1.0.0 -", ">= 1.0.0"])
def test_a_range_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="version"):
        versions_of(text)


GRANT = new_grant("a", "ehc", ">=1.0.0", ["verify", "codes"], ["H-1", "H-2"], begins_at=NOW, ends_at=NOW + 100)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({}, None),
        ({"sdk": SdkId("other", "1.0.0", "x")}, "it is for ehc"),
        ({"sdk": SdkId("ehc", "0.9.0", "x")}, "it is for ehc"),
        ({"scope": Scope.REGISTER}, "scope register"),
        ({"institution": "H-3"}, "not for this institution"),
        ({"institution": None}, "X-Institution"),
        ({"now": NOW - 1}, "not come"),
        ({"now": NOW + 99}, None),
        ({"now": NOW + 100}, "over"),
    ],
)
def test_a_grant_allows_what_it_says_and_nothing_else(what: dict[str, Any], reason: str | None) -> None:
    usual = {"sdk": SdkId("ehc", "1.0.0", "x"), "scope": Scope.VERIFY, "institution": "H-1", "now": NOW}
    found = lacks(GRANT, **(usual | what))
    assert found is None if reason is None else reason in (found or "")


def test_who_is_granted_one_institution_speaks_for_it() -> None:
    one = replace(GRANT, institutions=frozenset({"H-1"}))
    assert speaks_for(one, None) == "H-1"
    assert speaks_for(one, "H-2") == "H-2"
    assert speaks_for(replace(GRANT, institutions=None), None) is None


def test_a_quota_s_period_is_china_s() -> None:
    day, month, whole = (Quota(5, period) for period in ("day", "month", "whole"))
    evening, midnight = NOW + 16 * 3600 - 1, NOW + 16 * 3600  # 2026-01-02 00:00 in China
    assert day.number(NOW) == day.number(evening) == day.number(midnight) - 1
    assert (day.wait(evening), day.wait(midnight)) == (1, 86_400)
    assert month.number(evening) == month.number(midnight)
    assert month.wait(midnight) == 30 * 86_400
    assert whole.number(NOW) == whole.number(NOW * 2) == 0


def test_two_keys_of_a_kind_may_be_live() -> None:
    keys = [AppKey(f"k{i}", "a", "hmac", NOW, ends_at=end) for i, end in enumerate([None, NOW + 5, NOW])]
    with pytest.raises(Conflict, match="two hmac keys"):
        require_room(keys, "hmac", NOW)
    require_room(keys, "hmac", NOW + 5)
    require_room(keys, "sm2", NOW)
