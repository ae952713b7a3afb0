"""The most usual verifications by native calls (native/bindings/shortcut.pxi, redis.pxi); what they need is lent to
them."""

from ehc._native import (
    Asked,
    HostCodes,
    OfflineShortcut,
    RedisQuestions,
    RedisShortcut,
    Shortcut,
    Shown,
    WatchedCards,
)

__all__ = [
    "Asked",
    "HostCodes",
    "OfflineShortcut",
    "RedisQuestions",
    "RedisShortcut",
    "Shortcut",
    "Shown",
    "WatchedCards",
]
