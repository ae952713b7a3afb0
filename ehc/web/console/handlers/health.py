"""Is everything there: what runs, which keys, which store."""

from __future__ import annotations

import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from inspect import isawaitable
from typing import Any, NamedTuple

from anyio import from_thread
from starlette.responses import Response

import ehc.crypto
from ehc.errors import EhcError
from ehc.web.console.door import sentence
from ehc.web.console.page import Visit

PACKAGES = ("ehc", "granian", "starlette", "sqlalchemy", "psycopg", "redis", "cryptography", "numpy")


class Part(NamedTuple):
    """key: part.<key> in the catalogue. facts: (fact.<key>, value)."""

    key: str
    ok: bool
    facts: list[tuple[str, str]]
    problem: str = ""


def show_health(visit: Visit) -> Response:
    parts = [
        _part(visit, "service", lambda: _service(visit)),
        _part(visit, "store", lambda: _store(visit)),
        _part(visit, "hot", lambda: _hot(visit)),
        _part(visit, "keys", lambda: _keys(visit)),
        Part("core", True, [("tier", ehc.crypto.tier()), ("python", platform.python_version())]),
    ]
    workers = sorted(_workers(visit), key=lambda one: str(one["pid"]))
    versions = [(name, metadata.version(name)) for name in PACKAGES]
    return visit.show("health.html", parts_of=parts, workers=workers, versions=versions)


def _part(visit: Visit, key: str, facts: Callable[[], list[tuple[str, str]]]) -> Part:
    try:
        return Part(key, True, facts())
    except EhcError as error:
        return Part(key, False, [], sentence(error, visit.language) or str(error))


def _service(visit: Visit) -> list[tuple[str, str]]:
    return [
        ("version", metadata.version("ehc")),
        ("clock", f"{datetime.fromtimestamp(visit.now, UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("tls", "TLS" if visit.secure else "plain"),
    ]


def _store(visit: Visit) -> list[tuple[str, str]]:
    visit.services.account_store.ready()
    kind = visit.services.settings.database_url().partition(":")[0].partition("+")[0]
    return [("database", {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(kind, kind))]


def _hot(visit: Visit) -> list[tuple[str, str]]:
    """Asked for a card that nobody has: the question goes all the way."""

    async def ask() -> Any:
        found = visit.services.hot.status(0)
        return await found if isawaitable(found) else found

    from_thread.run(ask)
    redis = visit.services.settings.redis
    cluster = redis.startswith("redis+cluster")
    return [("hot", "Redis Cluster" if cluster else "Redis" if redis else "mmap")]


def _keys(visit: Visit) -> list[tuple[str, str]]:
    keys = visit.services.keys
    keys.seal_validity(visit.now)
    tested = visit.services.self_test
    passed = [("self_test", f"{len(tested.report.checks)}")] if tested and tested.report else []
    return [("security_key", f"v{keys.security_key_version}"), ("check_value", keys.security_key_check_value), *passed]


def _workers(visit: Visit) -> list[dict[str, Any]]:
    """Every worker that counts: this one as it is now, the others as they were a second ago."""
    return [
        {
            "pid": one.pid,
            "mib": one.resident / 2**20,
            "requests": sum(count for _, _, count in one.requests),
            "faults": sum(count for _, status, count in one.requests if status >= 500),
        }
        for one in visit.observed.all()
        if one.alive
    ]
