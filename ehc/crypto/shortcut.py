"""The most usual verification in one native call (native/bindings/shortcut.pxi); what it needs is lent to it."""

from ehc._native import Shortcut

__all__ = ["Shortcut"]
