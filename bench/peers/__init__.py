"""The peers: the same jobs done with what people use today. Each module has the functions of `Peer`, on whole lists, so
that each may do once a list what its library lets it do once a list."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Protocol

Row = tuple[str, str, str]


OPTIONAL = {"tongsuo_well": "tongsuopy", "gmssl_compiled": "gmssl_pyx", "gmssl_ctypes": "gmssl-python and libgmssl"}
"""Peers that take part where they are installed: module -> what to install."""


def optional() -> tuple[dict[str, ModuleType], dict[str, str]]:
    """The optional peers that are there, and module -> why it is not for the others."""
    found, missing = {}, {}
    for name, package in OPTIONAL.items():
        try:
            found[name] = import_module(f"peers.{name}")
        except ImportError as error:
            missing[name] = f"{package}: {error}"
    return found, missing


class Peer(Protocol):
    """A peer that lacks a function is left out of that job."""

    NAME: str  # as tables print it

    def version(self) -> str: ...
    def derive(self, rows: list[Row], key: bytes) -> list[str]:
        """Card ids (domain rule: SM3, fold, SM4 under the root key, SM4 under the user key), upper-case hex."""
        ...

    def check(self, payloads: list[str], key: bytes, now: int) -> list[bool]:
        """Which payloads are dynamic codes with an authentic token that has not expired (tolerance 60 s)."""
        ...

    def tokens(self, expiries: list[int], key: bytes) -> list[str]:
        """Validity tokens, upper-case hex. expiries: seconds since 1970."""
        ...

    def sm3(self, data: bytes) -> bytes: ...
    def sm4_ecb(self, key: bytes, data: bytes) -> bytes:
        """Encrypts whole blocks, no padding."""
        ...
