"""The two clients: the same operations (requests.py), one waits for the answer, the other is awaited."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx
import msgspec

from ehc.client import requests
from ehc.client.problems import error_of
from ehc.client.requests import Request
from ehc.client.retrying import Retries
from ehc.client.signing import BearerKey, Signing, SigningKey
from ehc.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

TIMEOUT = 10.0
_encode = msgspec.json.Encoder().encode
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}


def _asking(make: Callable[P, Request[T]]) -> Callable[Concatenate[Client, P], T]:
    """A method of Client out of an operation."""

    def call(client: Client, /, *arguments: P.args, **named: P.kwargs) -> T:
        return client.ask(make(*arguments, **named))

    call.__name__, call.__doc__ = make.__name__, make.__doc__
    return call


def _awaiting(make: Callable[P, Request[T]]) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    def call(client: AsyncClient, /, *arguments: P.args, **named: P.kwargs) -> Awaitable[T]:
        return client.ask(make(*arguments, **named))

    call.__name__, call.__doc__ = make.__name__, make.__doc__
    return call


class _Made:
    """How both clients are made.

    url: of the service. key: what says who asks; None where the service asks nobody. sdk: NAME/VERSION/PLATFORM, as it
    is registered; needed by a signing key. institution: for whom an app speaks that may for several. verify:
    certificates, as httpx takes them. transport: httpx's, for tests.
    """

    def __init__(
        self,
        url: str,
        key: BearerKey | SigningKey | None = None,
        *,
        sdk: str | None = None,
        institution: str | None = None,
        retries: Retries | None = None,
        timeout: float = TIMEOUT,
        verify: ssl.SSLContext | bool = True,
        transport: Any = None,
    ) -> None:
        self._retries = retries or Retries()
        named = {"x-sdk": sdk, "x-institution": institution}
        headers = {name: value for name, value in named.items() if value is not None}
        auth: Signing | None = None
        if isinstance(key, BearerKey):
            headers["authorization"] = f"Bearer {key.key}"
        elif key is not None:
            auth = Signing(key)
        options: dict[str, Any] = {
            "base_url": url,
            "headers": headers,
            "auth": auth,
            "timeout": timeout,
            "verify": verify,
            "transport": transport,
        }
        self._open(options)

    def _open(self, options: dict[str, Any]) -> None:
        raise NotImplementedError


class Client(_Made):
    """Threads may share one. Close it, or use `with`."""

    def _open(self, options: dict[str, Any]) -> None:
        self._http = httpx.Client(**options)

    def ask(self, request: Request[T]) -> T:
        """Raises what the service's problem document says (ehc.errors), Unavailable when there is no answer."""
        attempt = 1
        while True:
            outcome = self._send(request)
            wait = _wait(self._retries, request, outcome, attempt)
            if wait is None:
                return _result(request, outcome)
            time.sleep(wait)
            attempt += 1

    def _send(self, request: Request[Any]) -> httpx.Response | httpx.TransportError:
        try:
            return self._http.request(**_arguments(request))
        except httpx.TransportError as error:
            return error

    time = _asking(requests.time)
    register = _asking(requests.register)
    register_temporary = _asking(requests.register_temporary)
    register_child = _asking(requests.register_child)
    card = _asking(requests.card)
    find = _asking(requests.find)
    static_code = _asking(requests.static_code)
    dynamic_code = _asking(requests.dynamic_code)
    revoke_code = _asking(requests.revoke_code)
    verify = _asking(requests.verify)
    verify_batch = _asking(requests.verify_batch)
    offline_list = _asking(requests.offline_list)
    add_uses = _asking(requests.add_uses)
    put_record = _asking(requests.put_record)
    cross_reference = _asking(requests.cross_reference)
    bind_visit_card = _asking(requests.bind_visit_card)
    visit_cards = _asking(requests.visit_cards)
    unbind_visit_card = _asking(requests.unbind_visit_card)
    index_events = _asking(requests.index_events)
    consumer_offset = _asking(requests.consumer_offset)
    commit_offset = _asking(requests.commit_offset)
    licence = _asking(requests.licence)
    fetch_key = _asking(requests.fetch_key)
    rekeying = _asking(requests.rekeying)
    authority = _asking(requests.authority)
    physical_card = _asking(requests.physical_card)
    physical_card_history = _asking(requests.physical_card_history)
    physical_cards_of = _asking(requests.physical_cards_of)
    register_physical_card = _asking(requests.register_physical_card)
    change_physical_card = _asking(requests.change_physical_card)
    registry_feed = _asking(requests.registry_feed)
    push_to_registry = _asking(requests.push_to_registry)
    registry_digest = _asking(requests.registry_digest)
    registry_range = _asking(requests.registry_range)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(_Made):
    """As Client; its methods are awaited. Close it, or use `async with`."""

    def _open(self, options: dict[str, Any]) -> None:
        self._http = httpx.AsyncClient(**options)

    async def ask(self, request: Request[T]) -> T:
        """As Client.ask."""
        attempt = 1
        while True:
            outcome = await self._send(request)
            wait = _wait(self._retries, request, outcome, attempt)
            if wait is None:
                return _result(request, outcome)
            await asyncio.sleep(wait)
            attempt += 1

    async def _send(self, request: Request[Any]) -> httpx.Response | httpx.TransportError:
        try:
            return await self._http.request(**_arguments(request))
        except httpx.TransportError as error:
            return error

    time = _awaiting(requests.time)
    register = _awaiting(requests.register)
    register_temporary = _awaiting(requests.register_temporary)
    register_child = _awaiting(requests.register_child)
    card = _awaiting(requests.card)
    find = _awaiting(requests.find)
    static_code = _awaiting(requests.static_code)
    dynamic_code = _awaiting(requests.dynamic_code)
    revoke_code = _awaiting(requests.revoke_code)
    verify = _awaiting(requests.verify)
    verify_batch = _awaiting(requests.verify_batch)
    offline_list = _awaiting(requests.offline_list)
    add_uses = _awaiting(requests.add_uses)
    put_record = _awaiting(requests.put_record)
    cross_reference = _awaiting(requests.cross_reference)
    bind_visit_card = _awaiting(requests.bind_visit_card)
    visit_cards = _awaiting(requests.visit_cards)
    unbind_visit_card = _awaiting(requests.unbind_visit_card)
    index_events = _awaiting(requests.index_events)
    consumer_offset = _awaiting(requests.consumer_offset)
    commit_offset = _awaiting(requests.commit_offset)
    licence = _awaiting(requests.licence)
    fetch_key = _awaiting(requests.fetch_key)
    rekeying = _awaiting(requests.rekeying)
    authority = _awaiting(requests.authority)
    physical_card = _awaiting(requests.physical_card)
    physical_card_history = _awaiting(requests.physical_card_history)
    physical_cards_of = _awaiting(requests.physical_cards_of)
    register_physical_card = _awaiting(requests.register_physical_card)
    change_physical_card = _awaiting(requests.change_physical_card)
    registry_feed = _awaiting(requests.registry_feed)
    push_to_registry = _awaiting(requests.push_to_registry)
    registry_digest = _awaiting(requests.registry_digest)
    registry_range = _awaiting(requests.registry_range)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _arguments(request: Request[Any]) -> dict[str, Any]:
    given: dict[str, Any] = {"method": request.method, "url": request.path, "headers": dict(request.headers)}
    if not request.signed:
        given["auth"] = None
    if request.body is not None:
        given["headers"]["content-type"] = "application/json"
        given["content"] = _encode(request.body)
    return given


def _wait(
    retries: Retries, request: Request[Any], outcome: httpx.Response | httpx.TransportError, attempt: int
) -> float | None:
    """Seconds until it is sent again; None: it is not."""
    if isinstance(outcome, httpx.Response):
        return retries.after_answer(request, outcome, attempt)
    return retries.after_error(request, outcome, attempt)


def _result(request: Request[T], outcome: httpx.Response | httpx.TransportError) -> T:
    if not isinstance(outcome, httpx.Response):
        raise Unavailable(f"the service does not answer: {type(outcome).__name__}") from outcome
    if not outcome.is_success:
        raise error_of(outcome)
    decoder = _DECODERS.setdefault(request.answer, msgspec.json.Decoder(request.answer))
    try:
        answer: T = decoder.decode(outcome.content)
    except msgspec.MsgspecError as error:
        raise Unavailable(f"the answer is no {request.answer.__name__}: is this an ehc service?") from error
    return answer
