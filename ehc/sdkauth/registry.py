"""The two registries: SDKs, and apps with their keys and grants. Every change is an event of the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ehc.access.app import Sealing
from ehc.errors import Conflict, InputError, KeyUnavailable, NotFound
from ehc.sdkauth import app as apps
from ehc.sdkauth import key as keys
from ehc.sdkauth import sdk as sdks
from ehc.sdkauth.act import Act
from ehc.sdkauth.admission import Admission, OpenedKey
from ehc.sdkauth.app import AppState, RegisteredApp
from ehc.sdkauth.authority import Authority
from ehc.sdkauth.grant import Grant
from ehc.sdkauth.key import AppKey
from ehc.sdkauth.sdk import Release, Sdk, SdkId, SdkState, SdkStore


@dataclass(frozen=True, slots=True)
class Known:
    """All that the door must know, as it was at one moment."""

    apps: Sequence[RegisteredApp]  # that are not revoked
    keys: Sequence[AppKey]  # of those, that may be live
    grants: Sequence[Grant]  # that are not revoked
    sdks: Mapping[SdkId, SdkState]


class AppRegistryStore(Protocol):
    """What a method returned is committed. All raise Unavailable; what is not there is NotFound."""

    def add(self, app: RegisteredApp, act: Act) -> None:
        """A caller of its name too. Raises Conflict when the name is or was a caller's."""
        ...

    def find(self, name: str) -> RegisteredApp: ...

    def all(self) -> Sequence[RegisteredApp]: ...

    def move(self, name: str, old: AppState, new: AppState, act: Act) -> RegisteredApp:
        """`revoked` revokes its caller too. Raises Conflict when it is in `old` no more."""
        ...

    def amend(self, name: str, report: str | None, public_key: bytes | None, act: Act) -> RegisteredApp:
        """None: it stays."""
        ...

    def add_key(self, key: AppKey, act: Act) -> None:
        """Raises Conflict when the id is taken, or two of this kind are live, whoever added them at once."""
        ...

    def keys(self, app: str) -> Sequence[AppKey]:
        """Newest first, ended ones too."""
        ...

    def end_key(self, app: str, id: str, ends_at: int, act: Act) -> AppKey:
        """One that ends earlier already stays as it is."""
        ...

    def fetch_key(self, app: str, id: str, act: Act) -> AppKey:
        """The key, to one asker ever. Raises Conflict for all others."""
        ...

    def add_grant(self, grant: Grant, act: Act) -> Grant:
        """With its number."""
        ...

    def grants(self, app: str) -> Sequence[Grant]:
        """Revoked ones too."""
        ...

    def revoke_grant(self, app: str, number: int, act: Act) -> Grant: ...

    def use(self, number: int, period: int, wanted: int, quota: int) -> int:
        """So many of `wanted` requests are left in this period, and are used up now: exact, whoever asks at once."""
        ...

    def used(self, number: int, period: int) -> int: ...

    def changes(self) -> int:
        """Another number after every change of an app, key, grant or SDK."""
        ...

    def known(self, now: int) -> Known: ...


class SdkRegistry:
    """5.4: 注册并发布合法的 SDK."""

    def __init__(self, store: SdkStore, authority: Authority) -> None:
        self._store, self._authority = store, authority
        self.find, self.all = store.find, store.all

    def add(self, id: SdkId, note: str, act: Act) -> Sdk:
        if len(note) > 200 or "\n" in note:
            raise InputError("note: one line of at most 200 characters")
        made = Sdk(id, SdkState.DRAFT, act.now, note)
        self._store.add(made, act)
        return made

    def put_file(self, id: SdkId, parts: Iterable[bytes], digest: bytes, size: int, act: Act) -> Sdk:
        """Raises InputError, Conflict, NotFound."""
        if size < 1:
            raise InputError("the file is empty")
        return self._store.put_file(id, parts, digest, size, act)

    def file(self, id: SdkId) -> tuple[Sdk, Iterable[bytes]]:
        """Raises Conflict for one that is not, or no longer, published."""
        found = self._store.find(id)
        if found.state not in sdks.USABLE:
            raise Conflict(f"{id} is {found.state.value}: it is not given out")
        return found, self._store.file(id)

    def move(self, id: SdkId, state: SdkState, act: Act) -> Sdk:
        """Raises NotFound, Conflict, KeyUnavailable."""
        found = self._store.find(id)
        sdks.require_next(found, state)
        release = None
        if state is SdkState.PUBLISHED and found.signature is None and found.digest is not None:
            version, signature = self._authority.sign(sdks.release_text(id, found.digest))
            release = Release(signature, version)
        return self._store.move(id, found.state, state, release, act)


class AppRegistry:
    """5.4: 对所有接入的 APP 进行注册, 授权; 授权密钥下载."""

    def __init__(self, store: AppRegistryStore, sealing: Sealing) -> None:
        self._store, self._sealing = store, sealing
        self.add, self.find, self.all = store.add, store.find, store.all
        self.grants, self.revoke_grant = store.grants, store.revoke_grant
        self.keys, self.end_key, self.changes = store.keys, store.end_key, store.changes
        self.use, self.used = store.use, store.used

    def amend(self, name: str, report: str | None, public_key: bytes | None, act: Act) -> RegisteredApp:
        """None: it stays. Raises NotFound, InputError, Conflict where the report would be gone that it was approved
        for."""
        report = None if report is None else apps.report_of(report)
        if report == "" and self._store.find(name).state not in (AppState.DRAFT, AppState.REVIEW):
            raise Conflict(f"{name} was approved for its test report: name the one that takes its place")
        return self._store.amend(name, report, public_key, act)

    def move(self, name: str, state: AppState, act: Act) -> RegisteredApp:
        """Raises NotFound, Conflict."""
        found = self._store.find(name)
        apps.require_next(found, state)
        return self._store.move(name, found.state, state, act)

    def grant(self, grant: Grant, act: Act) -> Grant:
        """Raises NotFound, Conflict for an app that was revoked."""
        self._living(grant.app)
        return self._store.add_grant(grant, act)

    def add_hmac_key(self, app: str, id: str, secret: bytes, nonce: bytes, act: Act) -> AppKey:
        """secret, nonce: 32 and 12 random bytes. Raises Conflict, KeyUnavailable, NotFound."""
        found = self._living(app)
        keys.require_public_key(found.public_key)
        return self._add(AppKey(id, app, "hmac", act.now, self._sealing.seal(secret.hex(), id, nonce)), act)

    def add_sm2_key(self, app: str, id: str, public_key: bytes, act: Act) -> AppKey:
        """Raises InputError, Conflict, NotFound."""
        self._living(app)
        return self._add(AppKey(id, app, "sm2", act.now, public_key=keys.require_public_key(public_key)), act)

    def add_legacy_key(self, app: str, id: str, secret: str, nonce: bytes, act: Act) -> AppKey:
        """secret: the app_secret. Raises InputError, Conflict, KeyUnavailable, NotFound."""
        self._living(app)
        if len(secret) != 64 or not set(secret) <= set("0123456789ABCDEF"):
            raise InputError("an app_secret has 64 upper-case hex digits")
        return self._add(AppKey(id, app, "legacy", act.now, self._sealing.seal(secret, id, nonce)), act)

    def _add(self, key: AppKey, act: Act) -> AppKey:
        self._store.add_key(key, act)
        return key

    def _living(self, name: str) -> RegisteredApp:
        found = self._store.find(name)
        if found.state is AppState.REVOKED:
            raise Conflict(f"{name} was revoked")
        return found

    def fetch_key(self, app: str, id: str, act: Act) -> tuple[RegisteredApp, bytearray]:
        """The secret of an hmac key, once: whoever calls seals it to the app's public key, and wipes it.
        Raises Conflict, NotFound, KeyUnavailable."""
        found = self._living(app)
        key = next((one for one in self._store.keys(app) if one.id == id), None)
        if key is None or key.kind != "hmac":
            raise NotFound(f"{app} has no hmac key {id}")
        opened = self._open(key)
        if opened is None:
            raise KeyUnavailable(f"the key {id} does not open: the protection key that it was sealed under is gone")
        self._store.fetch_key(app, id, act)
        return found, bytearray(opened)

    def _open(self, key: AppKey) -> bytes | None:
        if key.sealed is None:
            return None
        try:
            text = self._sealing.unseal(key.sealed, key.id)
        except KeyUnavailable:
            return None
        return bytes.fromhex(text) if key.kind == "hmac" else text.encode()

    def admission(self, now: int) -> Admission:
        """What the door knows until `changes` says another number. Raises Unavailable."""
        known = self._store.known(now)
        return Admission(known.apps, [OpenedKey(key, self._open(key)) for key in known.keys], known.grants, known.sdks)
