"""Who may come in to a terminal, and the small parts of it."""

import functools
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from ehc.reader.repairs import Repair
from ehc.reader.sources import Frame
from ehc.terminal.advice import ADVICE
from ehc.terminal.door import Door
from ehc.terminal.slot import Slot

TOKEN = "a token of a window"


def ask(headers: dict[str, str], token: str | None = None, path: str = "/", origins: Any = ()) -> httpx.Response:
    inner = Starlette(routes=[Route("/", lambda _: PlainTextResponse("in"))])
    door = Door(inner, token, origins)

    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://127.0.0.1:8470") as client:
            return await client.get(path, headers=headers)

    return anyio.run(functools.partial(go))


def test_programs_and_pages_of_this_machine_come_in() -> None:
    for headers in ({}, {"host": "localhost:8470"}, {"origin": "http://127.0.0.1:8470"}, {"host": "[::1]:8470"}):
        assert ask(headers).text == "in"
    assert "script-src 'self'" in ask({}).headers["content-security-policy"]


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"host": "evil.example"}, "another host"),  # a page that made its name this address
        ({"origin": "https://evil.example"}, "--origin https://evil.example"),
        ({"origin": "null"}, "null"),
        ({"origin": "http://127.0.0.1:9999"}, "not served"),
    ],
)
def test_pages_of_others_do_not(headers: dict[str, str], says: str) -> None:
    answer = ask(headers)
    assert answer.status_code == 403
    assert says in answer.json()["detail"]


def test_a_page_that_was_named_may() -> None:
    assert ask({"origin": "https://his.example"}, origins=["https://his.example"]).text == "in"


def test_with_a_token_everybody_shows_it() -> None:
    there = {"host": "window-3.hospital:8470"}
    assert ask(there, TOKEN).status_code == 403
    assert ask(there | {"authorization": "Bearer another token"}, TOKEN).status_code == 403
    assert ask(there | {"authorization": f"Bearer {TOKEN}"}, TOKEN).text == "in"
    first = ask(there, TOKEN, f"/?token={TOKEN}")
    assert (first.status_code, first.headers["location"]) == (303, "/")  # it does not stay in the address
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert ask(there | {"cookie": cookie.partition(";")[0]}, TOKEN).text == "in"


def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    slot, frames = Slot(), [Frame(bytes(4), "GREY", 2, 2) for _ in range(5)]
    assert slot.take(0) is None
    for one in frames:
        slot.put(one)
    assert slot.take(0) is frames[-1]
    assert slot.take(0) is None
    assert (slot.frames, slot.dropped) == (5, 4)


def test_every_repair_has_its_advice() -> None:
    assert set(ADVICE) == set(Repair)
