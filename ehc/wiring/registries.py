"""Other registries, over the client SDK: the national one, and those that ours is kept alike with.

The client SDK is loaded by whoever opens one: it takes a fifth of a second and 10 MiB, and few processes need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ehc.config import Settings
from ehc.errors import ConfigError, EhcError, InputError, NotFound, Unavailable
from ehc.registry.card import PhysicalCard, RangeDigest
from ehc.registry.national import NationalCard, NationalRegistry
from ehc.registry.registry import Record, record_of
from ehc.registry.synchronising import FeedPage

if TYPE_CHECKING:
    from ehc.client import BearerKey, Client, answers

PEER_SECONDS = 60.0


class _National:
    """A registry of the documented interface. A fault of the exchange is never taken for a card that it does not have,
    nor for one of whoever asked us."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def find(self, number: str) -> NationalCard:
        try:
            found = self._client.physical_card(number, local=True)
        except NotFound:
            raise NotFound("neither this registry nor the national one has this card number") from None
        except EhcError as error:
            raise Unavailable(
                f"this registry has no such card, and the national one was asked in vain: {error}"
            ) from error
        changed_at = int(found.changed_at.timestamp())
        return NationalCard(
            found.registry,
            found.number,
            found.issuer,
            found.state,
            found.id_type,
            found.name,
            found.id_number,
            found.version,
            found.source,
            changed_at,
        )

    def close(self) -> None:
        self._client.close()


class PeerOverHttp:
    """registry.synchronising.Peer; to be closed."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def page(self, after: str, limit: int) -> FeedPage:
        found = self._client.registry_feed(after, limit)
        return FeedPage(found.registry, list(map(_record, found.cards)), found.next, found.more)

    def push(self, registry: str, cards: Sequence[PhysicalCard]) -> Sequence[str]:
        found = self._client.push_to_registry(registry, [record_of(card)._asdict() for card in cards])
        if len(found.rulings) != len(cards):
            raise Unavailable(f"the other registry answered {len(found.rulings)} rulings for {len(cards)} cards")
        return found.rulings

    def close(self) -> None:
        self._client.close()

    def digest(self, after: str, limit: int) -> RangeDigest:
        found = self._client.registry_digest(after, limit)
        return RangeDigest(found.cards, found.last, bytes.fromhex(found.digest))

    def within(self, after: str, until: str, limit: int) -> Sequence[Record]:
        return list(map(_record, self._client.registry_range(after, until, limit).cards))


def _record(of: answers.CardRecord) -> Record:
    return Record(*(getattr(of, field) for field in Record._fields))


def open_national(settings: Settings) -> NationalRegistry | None:
    """None where the settings name none. Raises ConfigError."""
    if not settings.national_registry:
        return None
    from ehc.client import Client
    from ehc.client.retrying import Retries

    try:
        file, seconds = settings.national_registry_key_file, settings.national_registry_seconds
        key = read_key(Path(file).expanduser()) if file else None
        return _National(Client(_safe(settings.national_registry), key, retries=Retries(attempts=1), timeout=seconds))
    except InputError as error:
        raise ConfigError(f"setting national_registry: {error}") from error


def open_peer(url: str, key_file: Path | None) -> PeerOverHttp:
    """Raises InputError."""
    from ehc.client import Client

    return PeerOverHttp(Client(_safe(url), read_key(key_file) if key_file else None, timeout=PEER_SECONDS))


def read_key(file: Path) -> BearerKey:
    """The first line of a file. Raises InputError."""
    from ehc.client import BearerKey

    try:
        return BearerKey(file.read_text("ascii").partition("\n")[0].strip())
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: {getattr(error, 'strerror', None) or 'no key of a caller'}") from None


def _safe(url: str) -> str:
    """People's data and a key go there: over TLS, or not off this machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("a URL wanted, such as https://registry.example")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise InputError(f"{parts.hostname} is another machine: https is wanted")
    return url
