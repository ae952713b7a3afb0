"""The most usual verifications by native calls (native/bindings/shortcut.pxi, redis.pxi); what they need is lent to
them."""

from ehc._native import HostCodes, OfflineShortcut, RedisQuestions, RedisShortcut, Shortcut, Shown

__all__ = ["HostCodes", "OfflineShortcut", "RedisQuestions", "RedisShortcut", "Shortcut", "Shown"]
