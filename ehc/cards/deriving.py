"""What the crypto machine makes of an identity, one at a time; issuing.py does the many."""

from __future__ import annotations

from collections.abc import Callable

from ehc.cards.account import Derived
from ehc.cards.identity import encode
from ehc.crypto import Batch
from ehc.crypto.batch import Padding
from ehc.errors import IdentityError, KeyUnavailable
from ehc.model import Identity
from ehc.ports import KeyService


class Deriver:
    """padding: △ of the id, as the deployment's settings say. present: the version to make ids under while a province
    is re-keyed (rekeying.py); None for the active one."""

    def __init__(
        self, keys: KeyService, padding: Padding = "full", present: Callable[[], int | None] = lambda: None
    ) -> None:
        self.keys, self.padding, self._present = keys, padding, present

    def version(self) -> int:
        """Under which ids are made now. Where the machine may not make any under the one that cards have, it is the
        active one: such cards get the other id as well. Raises KeyUnavailable."""
        active, present = self.keys.security_key_version, self._present()
        if present is None or present == active:
            return active
        try:
            self.keys.derive_batch(_NOBODY, version=present)
        except KeyUnavailable:
            return active
        return present

    def __call__(self, identity: Identity) -> Derived:
        """Raises IdentityError that names the field, KeyUnavailable."""
        version = self.version()
        made = self.keys.derive_batch(encode([identity]), version=version, padding=self.padding)
        for error in made.errors:
            field, _, reason = error.reason.partition(": ")
            raise IdentityError(field, reason)
        return Derived(identity, made.mindex[0].tobytes(), made.hex().card_id[0], version)


_NOBODY = Batch.pack([])
