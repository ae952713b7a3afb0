"""An approved app with its keys, in the database of a service that is to be started."""

from ehc.config import Settings
from ehc.crypto import sm3
from ehc.crypto.sm2 import PrivateKey
from ehc.sdkauth.act import Act
from ehc.sdkauth.app import AppState, new_app
from ehc.sdkauth.grant import new_grant
from ehc.sdkauth.registry import AppRegistry, SdkRegistry
from ehc.sdkauth.sdk import SdkState, parse_id
from ehc.wiring.keys import open_authority
from ehc.wiring.stores import open_store

SDK = "ehc-client/1.4.0/python"
SECRET = bytes(range(32))
SM2 = PrivateKey((11).to_bytes(32, "big"))
SCOPES = ("register", "codes", "verify", "accounts:read", "records:write", "sdk", "institutions:write")
SCOPES += ("index:read", "index:write", "index:events")


def add_sdk_app(settings: Settings) -> dict[int, bytes]:
    """Public keys of this system. The app `his-h1` with an hmac key `k-hmac` and an SM2 key `k-sm2`, granted SCOPES."""
    act, id = Act(1, "a test", "because"), parse_id(SDK)
    sealing, authority = open_authority(settings)
    store = open_store(settings)
    sdks, apps = SdkRegistry(store.sdks, authority), AppRegistry(store.sdk_apps, sealing)
    sdks.add(id, "", act)
    sdks.put_file(id, [b"x"], sm3(b"x"), 1, act)
    for state in (SdkState.REVIEW, SdkState.PUBLISHED):
        sdks.move(id, state, act)
    app = new_app("his-h1", "第一医院", 1, kind="system", public_key=bytes(SM2.public_key), report="r-1")
    apps.add(app, act)
    for to in (AppState.REVIEW, AppState.APPROVED):
        apps.move("his-h1", to, act)
    apps.grant(new_grant("his-h1", "ehc-client", "*", SCOPES, None, begins_at=0, ends_at=1 << 40), act)
    apps.add_hmac_key("his-h1", "k-hmac", SECRET, bytes(12), act)
    apps.add_sm2_key("his-h1", "k-sm2", bytes(SM2.public_key), act)
    store.close()
    return dict(authority.public_keys)
