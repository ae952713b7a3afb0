"""Every command of `ehc keys`, from its files by topic: importing one adds its commands to those of keys.py."""

from __future__ import annotations

from ehc.cli import key_backup, key_custody, key_sending, key_states, rotation
from ehc.cli.keys import app

__all__ = ["app", "key_backup", "key_custody", "key_sending", "key_states", "rotation"]
