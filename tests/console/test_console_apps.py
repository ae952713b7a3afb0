"""The page of SDKs, apps and grants."""

from desks import Desk, text_of

from ehc.access.operator import Role
from ehc.crypto import sm3
from ehc.sdkauth.act import Act
from ehc.sdkauth.app import new_app
from ehc.sdkauth.grant import new_grant
from ehc.sdkauth.sdk import parse_id


def test_sdks_apps_and_grants_are_shown_and_changed(desk: Desk) -> None:
    browser, sdks, apps = desk.signed_in(Role.SYSTEM), desk.services.sdks, desk.services.app_registry
    act, sdk, ends_at = Act(desk.clock.now, "desk"), parse_id("ehc-client/1.4.0/python"), desk.clock.now + 3600
    sdks.add(sdk, "", act)
    sdks.put_file(sdk, [b"x"], sm3(b"x"), 1, act)
    apps.add(new_app("city-app", "市卫健委", desk.clock.now, kind="system", report="r-1"), act)
    grant = apps.grant(new_grant("city-app", "*", "*", ["codes"], None, begins_at=0, ends_at=ends_at), act)
    page = text_of(browser.get("/apps"))
    assert all(word in page for word in ("ehc-client/1.4.0/python", "city-app", "市卫健委", "r-1", "草稿"))
    browser.follow(browser.post("/apps/sdk", sdk=str(sdk), to="review", reason="齐备"))
    assert sdks.find(sdk).state == "review"
    assert browser.post("/apps", name="city-app", to="approved", reason="齐备").status_code == 409  # not reviewed
    for to in ("review", "approved"):
        browser.follow(browser.post("/apps", name="city-app", to=to, reason="检测报告已核对"))
    assert apps.find("city-app").state == "approved"
    browser.follow(browser.post("/apps/grant", name="city-app", number=str(grant.number), reason="到期"))
    assert apps.grants("city-app")[0].revoked_at == desk.clock.now
    assert [deed.what for deed in desk.services.deeds.deeds()][:2] == ["revoke_grant", "change_app"]
