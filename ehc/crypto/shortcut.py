"""The most usual verifications in one native call (native/bindings/shortcut.pxi); what they need is lent to them."""

from ehc._native import OfflineShortcut, Shortcut

__all__ = ["OfflineShortcut", "Shortcut"]
