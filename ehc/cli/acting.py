"""ehc --as FILE: whose credential it is that a duty takes."""

from __future__ import annotations

from pathlib import Path

from ehc.cli.key_custody import credential_of
from ehc.keys.acting import acting


def act_as(file: Path, passphrase: Path | None) -> None:
    """Its passphrase is asked for when the credential is needed."""
    acting.by(lambda: credential_of(file, passphrase))
