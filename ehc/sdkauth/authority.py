"""Who signs licences, releases and answers in this system's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Authority(Protocol):
    @property
    def version(self) -> int:
        """Of the key that signs now. Raises KeyUnavailable."""
        ...

    def sign(self, message: bytes) -> tuple[int, bytes]:
        """Version of the key, SM2 signature (64 bytes, r ‖ s). Raises KeyUnavailable."""
        ...

    @property
    def public_keys(self) -> Mapping[int, bytes]:
        """Version -> x ‖ y, of every key that has signed something which may still be checked."""
        ...
