"""The door: who asks, may they, and not too fast.

The callers, the digests of their keys and the places that are disabled are kept in memory and looked up there: a flood
of wrong keys costs the store nothing. What is kept is at most MAX_AGE old: a revoked key is refused everywhere a second
later. When the store cannot be asked for longer than that, callers are refused as `unavailable`: nobody gets in on old
knowledge.

Rates are counted by all workers of the host together.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from ehc.access.app import App
from ehc.access.caller import ANYBODY, Caller, CallerKey, Scope, digest_of
from ehc.access.rate import Rates, take
from ehc.crypto.claims import Bucket
from ehc.crypto.hot import Door, Doors
from ehc.errors import Forbidden, Unauthenticated, Unavailable
from ehc.sdkauth.admission import Admission
from ehc.wiring.services import Services

T = TypeVar("T")

MAX_AGE = 1.0
KEEP_EVERY = 0.4
STORE_SECONDS = 5.0
"""How long a store may take; of a pause of this process a fifth of that counts at most."""

_LOOKS = 5

MOST_SEEN = 10_000

_NOT_ACCEPTED = "this key is not accepted: it is wrong, replaced or revoked"
_NO_KEY = "send Authorization: Bearer and the key that `ehc admin caller add` printed"


_OPEN = Door(ANYBODY, ANYBODY.scopes, None, ())


class Gate:
    """One a process. `check` is the whole question, at once; where it has no answer, `refresh` and ask again."""

    def __init__(self, services: Services, rates: Rates, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._all_apps = services.apps.all
        self._callers, self._settings, self._clock = services.callers, services.settings, services.clock
        self._monotonic, self._thread = monotonic, CapacityLimiter(1)
        self.doors = Doors(MOST_SEEN)  # by the header that was accepted, since the last change of a caller
        self._version, self._switches = -1, -1
        self._turn, self._renew = services.rekeying.turn, services.hot.renew
        self._places, self._disabled = services.places, services.disabled
        self._keys: dict[bytes, Door] = {}  # by their digests
        self._apps: dict[str, App] = {}  # by name
        self._registry, self._admission, self._registered = services.app_registry, Admission(), (-1, -1)
        self._rates = rates
        self._refreshing: asyncio.Task[None] | None = None
        self._loopback = ipaddress.ip_address(services.settings.host.replace("localhost", "127.0.0.1")).is_loopback

    @property
    def open(self) -> bool:
        """Nobody is asked who they are: there has never been a caller, and only this machine can reach the service."""
        return self._version == 0 and self._loopback

    def check(self, authorization: str | None, scope: Scope, came: float | None = None) -> Caller | None:
        """The caller; None when what is known was too old when the request came (None: now), however long the store
        took to say it. Raises Unauthenticated, Forbidden, TooMany."""
        self.doors.asked, now = True, self._monotonic()
        if (now if came is None else came) > self.doors.until:
            return None
        door = self.doors.find(authorization) or self._door(authorization)
        if door.ends_at is not None and self._clock() >= door.ends_at:
            raise Unauthenticated(_NOT_ACCEPTED)
        if scope not in door.scopes:
            raise Forbidden(f"{door.caller.name} has not the scope {scope.value}")
        take(door.buckets, now)
        caller: Caller = door.caller
        return caller

    async def admit(self, authorization: str | None, scope: Scope) -> Caller:
        """As check, refreshed where that is needed. Raises Unavailable too."""
        came = self._monotonic()
        while (caller := self.check(authorization, scope, came)) is None:
            await self.refresh()
        return caller

    async def app(self, name: str) -> App | None:
        """The app of this name, which shows no key but signs what it sends. Raises Unavailable."""
        await self._know()
        return self._apps.get(name)

    async def admission(self) -> Admission:
        """What is known of apps that sign as the standard's SDKs do. Raises Unavailable."""
        await self._know()
        return self._admission

    async def _know(self) -> None:
        """What the store knows now, or knew MAX_AGE ago."""
        self.doors.asked, came = True, self._monotonic()
        while came > self.doors.until:
            await self.refresh()

    def pace(self, caller: Caller) -> None:
        """One request out of its rate. Raises TooMany."""
        take(self._buckets_of(caller), self._monotonic())

    def charge(self, caller: Caller, cost: int) -> None:
        """Pay for a call that turned out to be the work of so many more."""
        for bucket in () if caller is ANYBODY else self._buckets_of(caller):
            bucket.pay(self._monotonic(), cost)

    def _door(self, authorization: str | None) -> Door:
        if self.open:
            return _OPEN
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated(_NO_KEY)
        door = self._keys.get(digest_of(key.strip()))
        if door is None:
            raise Unauthenticated(_NOT_ACCEPTED)
        self.doors.add(authorization, door)
        return door

    async def refresh(self) -> None:
        """Know again what the store knows; all who ask meanwhile share one look. Raises Unavailable."""
        if self._refreshing is None:
            self._refreshing = asyncio.get_running_loop().create_task(self._load())
            self._refreshing.add_done_callback(self._refreshed)
        known = self._refreshing
        for _ in range(_LOOKS):  # a process that was stopped meanwhile has not asked yet: that is no store that is slow
            if (await asyncio.wait([known], timeout=STORE_SECONDS / _LOOKS))[0]:
                return known.result()
        raise Unavailable("the store of callers does not answer: try again")

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refreshing = None
        if not task.cancelled():
            task.exception()  # whoever waits raises it; the keeper's next round tries again

    async def _load(self) -> None:
        begun = self._monotonic()
        version = await self._look(self._callers.version)
        if version != self._version:
            self._take_over(await self._look(self._callers.keys, self._clock()))
            self._apps = {app.caller.name: app for app in await self._look(self._all_apps)}
        registered = (version, await self._look(self._registry.changes))
        if registered != self._registered:
            self._admission = await self._look(self._registry.admission, self._clock())
            self._registered = registered
        switches = await self._look(self._places.changes)
        if switches != self._switches:
            self._disabled.renew(await self._look(self._places.disabled))
            self._switches = switches
        self._renew(await self._look(self._turn))
        self._version, self.doors.until = version, begun + MAX_AGE

    async def _look(self, ask: Callable[..., T], *arguments: object) -> T:
        """In a thread of the gate's own: requests that wait for a slow database have all the others."""
        return await to_thread.run_sync(ask, *arguments, limiter=self._thread)

    def _take_over(self, keys: Sequence[CallerKey]) -> None:
        self.doors.clear()
        self._keys = {
            key.digest: Door(key.caller, key.caller.scopes, key.ends_at, self._buckets_of(key.caller)) for key in keys
        }

    def _buckets_of(self, caller: Caller) -> tuple[Bucket, ...]:
        """A caller's own, and its institution's, which all its callers share; both go on over a refresh."""
        wanted = [(f"caller {caller.name}", caller.rate or self._settings.caller_rate)]
        if caller.institution is not None:
            wanted.append((f"institution {caller.institution}", self._settings.institution_rate))
        burst = self._settings.burst_seconds
        return tuple(self._rates.bucket(name, rate, max(1, rate * burst)) for name, rate in wanted)

    async def keep(self) -> None:
        """Refresh ahead of time for as long as somebody asks, so that hardly anybody waits. Runs until cancelled."""
        while True:
            await asyncio.sleep(KEEP_EVERY)
            if self.doors.asked:
                self.doors.asked = False
                try:
                    await self.refresh()
                except Unavailable:
                    continue  # whoever asks next is told
