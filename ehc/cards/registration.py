"""Registering a person: identity -> mindex -> card id -> account (账户管理, 5.5)."""

from __future__ import annotations

from ehc.cards.identity import encode, normalise
from ehc.crypto.batch import Padding
from ehc.errors import IdentityError
from ehc.model import Card, Identity
from ehc.ports import CardStore, KeyService


class Registrar:
    """Gives a person the one card that is theirs. padding: △ of the id, as the deployment's settings say."""

    def __init__(self, keys: KeyService, store: CardStore, padding: Padding = "full") -> None:
        self._keys, self._store, self._padding = keys, store, padding

    def register(self, id_type: str, id_number: str, name: str, now: int) -> tuple[Card, bool]:
        """The card, and whether it is new; the same person gets the same card, and a cancelled one is restored.

        now: seconds since 1970. Raises IdentityError that names the field, KeyUnavailable, Unavailable.
        """
        identity = normalise(id_type, id_number, name)
        mindex, card_id = self._derive(identity)
        return self._store.register(identity, mindex, card_id, self._keys.security_key_version, now)

    def _derive(self, identity: Identity) -> tuple[bytes, str]:
        derived = self._keys.derive_batch(encode([identity]), padding=self._padding)
        for error in derived.errors:
            field, _, reason = error.reason.partition(": ")
            raise IdentityError(field, reason)
        return derived.mindex[0].tobytes(), derived.hex().card_id[0]
