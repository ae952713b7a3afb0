"""Signed requests that are changed on their way, in small ways that mean something else: none is let in."""

import random
from collections.abc import Callable
from typing import Any

from sdk_app import BY, add_app, later, legacy, publish

from ehc.crypto.legacy_signature import app_secret

CARD = "/v1/cards/" + "AB" * 32


def test_a_signature_may_say_itself_when_it_is_over(signed_service: Any) -> None:
    app = add_app(signed_service, "accounts:read")
    until = signed_service.clock.now + 20
    app.parameters = f";expires={until}"
    requests = [app.signed("GET", CARD) for _ in range(2)]
    signed_service.clock.now = until
    assert app.send(requests[0]).status_code == 404
    signed_service.clock.now += 1
    answer = app.send(requests[1])
    assert (answer.status_code, "expires" in answer.json()["detail"]) == (401, True)


def test_another_spelling_is_another_request(signed_service: Any) -> None:
    app = add_app(signed_service, "codes")
    request = app.signed("POST", "/v1/codes?a=b%20c&d=%2F", {"card_id": "AB", "kind": "static"})
    queries = ("a=b+c&d=%2F", "a=b%20c&d=%2f", "a=b%20c&d=/", "d=%2F&a=b%20c", "a=b%20c&d=%2F&", "a=b%20c", "")
    others = [{"path": f"/v1/codes?{query}"} for query in queries]
    others += [{"path": request["path"].replace("codes", "%63odes")}, {"method": "PUT"}]
    others += [{"content": b""}, {"content": request["content"].replace(b"AB", b"AC")}]
    for change in others:
        assert app.send(request | change).status_code in (401, 405), change
    request["headers"]["x-http-method-override"] = "DELETE"  # says nothing here
    assert app.send(request).status_code == 404  # such a card


def test_a_header_that_stands_twice_is_another_one(signed_service: Any) -> None:
    app = add_app(signed_service, "codes")
    request = app.signed("POST", "/v1/codes", {"card_id": "AB", "kind": "static"}, **{"x-institution": "H-1"})
    headers = [*request["headers"].items()]
    for name, value in headers:
        if name != "host":
            for twice in ([(name, value), *headers], [*headers, (name, value)]):
                assert app.send(request | {"headers": twice}).status_code == 401, name
    assert app.send(request).status_code == 404


def mutate(request: dict[str, Any], chance: random.Random) -> dict[str, Any] | None:
    """One character of what was signed is another, or a header is gone or doubled; None: nothing changed."""
    changed = {**request, "headers": dict(request["headers"])}
    where = chance.choice(["path", "content", "method", "gone", *changed["headers"]])
    if where == "method":
        changed["method"] = chance.choice(["PUT", "DELETE", "PATCH"])
    elif where == "gone":
        del changed["headers"][chance.choice([n for n in changed["headers"] if n not in ("host", "content-type")])]
    elif where in ("path", "content"):
        text = changed[where] if where == "path" else changed[where].decode()
        changed[where] = _other(text, chance) if where == "path" else _other(text, chance).encode()
        if where == "path" and not changed["path"].startswith("/v1/codes"):
            changed["path"] = "/v1/codes?x=" + str(chance.randrange(10**9))
    else:
        changed["headers"][where] = _other(changed["headers"][where], chance)
    return None if changed == request else changed


def _other(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice("abcdefghijklmnopqrstuvwxyz0123456789=+/") + text[at + 1 :]


def test_no_request_that_was_changed_is_let_in(signed_service: Any) -> None:
    """A seeded part of tests/survival/signed_requests.py."""
    app, chance = add_app(signed_service, "codes"), random.Random(7)
    for _ in range(150):
        changed = mutate(app.signed("POST", "/v1/codes", {"card_id": "AB" * 32, "kind": "static"}), chance)
        if changed is not None:
            assert app.send(changed).status_code in (400, 401, 404, 405), changed


def test_no_parameter_of_a_legacy_request_moves_into_another(make_service: Callable[..., Any]) -> None:
    """Its base has `&` between parameters, and nothing that keeps one from standing in another's value."""
    service = make_service(legacy_signing=True)
    publish(service)
    app = add_app(service, "accounts:read")
    secret = app_secret("city-app", "fdnwxuqxk4n5esyp07")
    service.services.app_registry.add_legacy_key("city-app", "k-old", secret, bytes(12), BY)
    later(service)
    signed = legacy(app, secret, "GET", CARD, purpose="care", query="a=b")
    right = signed | {"path": f"{CARD}?a=b", "headers": signed["headers"] | {"x-purpose": "care"}}
    moved = signed | {"headers": signed["headers"] | {"x-purpose": "care&query=a=b"}}
    assert app.send(moved).status_code == 401
    assert app.send(right).status_code == 404
