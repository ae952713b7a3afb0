"""What the crypto machine makes of an identity, one at a time; issuing.py does the many."""

from __future__ import annotations

from ehc.cards.account import Derived
from ehc.cards.identity import encode
from ehc.crypto.batch import Padding
from ehc.errors import IdentityError
from ehc.model import Identity
from ehc.ports import KeyService


class Deriver:
    """padding: △ of the id, as the deployment's settings say."""

    def __init__(self, keys: KeyService, padding: Padding = "full") -> None:
        self.keys, self.padding = keys, padding

    def __call__(self, identity: Identity) -> Derived:
        """Under the active security key. Raises IdentityError that names the field, KeyUnavailable."""
        made = self.keys.derive_batch(encode([identity]), padding=self.padding)
        for error in made.errors:
            field, _, reason = error.reason.partition(": ")
            raise IdentityError(field, reason)
        return Derived(identity, made.mindex[0].tobytes(), made.hex().card_id[0], self.keys.security_key_version)
