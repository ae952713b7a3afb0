"""Who acts in this process, when somebody said so: an open credential, asked for when a duty takes it (duties.py)."""

from __future__ import annotations

from collections.abc import Callable

from ehc.keys.office import Signer


class Acting:
    """Calling it gives the credential, or None."""

    def __init__(self) -> None:
        self._ask: Callable[[], Signer | None] = lambda: None

    def by(self, ask: Callable[[], Signer | None]) -> None:
        """From now on who `ask` gives, which is called once at most."""
        known: list[Signer | None] = []

        def once() -> Signer | None:
            if not known:
                known.append(ask())
            return known[0]

        self._ask = once

    def __call__(self) -> Signer | None:
        return self._ask()


acting = Acting()
