"""The index follows the cards: what is registered, renamed or changed there becomes a record here, a moment later.

Nothing is called where a card is registered. What is read is the accounts' own history, by the second: a change is
seen once it is committed, which may be up to SETTLED seconds after the second that it bears. So the place that is kept
is never nearer to now than that, and what lies after it is read again: a record that says the same changes nothing.
Whoever goes on after a kill -9 begins at that place. Of all processes one at a time has the turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from ehc.cards.accounts import Act
from ehc.errors import InputError
from ehc.index.domain import ACCOUNT, CARD_ID, DOCUMENT_DOMAINS, RESIDENT_ID, Domains
from ehc.index.index_store import IndexStore
from ehc.index.lines import columns_of
from ehc.index.loading import Loader
from ehc.index.record import FIELDS, Record, new_record
from ehc.index.rulebook import Rulebook
from ehc.model import Card

CONSUMER = "cards"
BY = "rule:cards"
SETTLED = 30
"""Seconds after which no change of a second is still on its way: a transaction waits no longer for a lock."""
TURN = 20
"""Seconds that a turn lasts, unless it is taken again."""
MOST = 2_048
"""Accounts that are taken in at once: whoever registers waits no longer than they take."""
NOTHING: Mapping[str, str] = {}


class Change(NamedTuple):
    """Accounts, one after another, of which something became known in this second; number: of a single one's event."""

    at: int
    first: int
    last: int
    number: int = 0


class CardFeed(Protocol):
    """The accounts' history. Both raise Unavailable."""

    def changes(self, since: int, most: int) -> Sequence[Change]:
        """From a second on, by the second: at least so many where there are so many, those of one second all together.
        None holds more than MOST accounts."""
        ...

    def cards(self, changes: Sequence[Change]) -> Sequence[tuple[Card, Mapping[str, str]]]:
        """As they are now, each once, with what is known of the person (cards.account.DETAILS)."""
        ...


class Follower:
    """What one process has taken in of what is not settled yet."""

    def __init__(self, store: IndexStore, book: Rulebook, loader: Loader, feed: CardFeed) -> None:
        self._store, self._book, self._loader, self._feed = store, book, loader, feed
        self._done: set[Change] = set()

    def step(self, now: int) -> int:
        """Take in what comes next; how many cards: 0 where nothing is left, or another process has the turn."""
        place = self._store.take_turn(CONSUMER, now, now + TURN)
        if place is None:
            self._done.clear()
            return 0
        told = self._feed.changes(place, len(self._done) + MOST)
        new, count = list[Change](), 0
        for one in told:
            if one not in self._done and count < MOST:
                new.append(one)
                count += one.last - one.first + 1
        taken = self._take(new, now)
        self._done.update(new)
        left = [one.at for one in told if one not in self._done]
        reached = min(left[0] if left else now, now - SETTLED)
        if reached > place:
            self._store.keep_place(CONSUMER, reached)
            self._done = {one for one in self._done if one.at >= reached}
        return taken

    def _take(self, changes: Sequence[Change], now: int) -> int:
        domains = self._book.now().domains
        rows = [record_of_card(domains, card, known) for card, known in self._feed.cards(changes)]
        if rows:
            self._loader.load(columns_of(rows), Act(now, BY, "a card"))
        return len(rows)


def record_of_card(domains: Domains, card: Card, known: Mapping[str, str]) -> Record:
    """What an account says of its person; without the details where one of them has not the form that is compared."""
    one = card.identity
    fields = {name: known[name] for name in FIELDS if known.get(name)} | {"name": one.name}
    if one.id_type == IDENTITY and one.id_number[:2].isdigit():
        born, sex = one.id_number[6:14], "21"[int(one.id_number[16]) % 2]
        fields = {"birth_date": f"{born[:4]}-{born[4:6]}-{born[6:]}", "sex": sex} | fields
    if card.birth_order:
        fields["birth_order"] = str(card.birth_order)
    numbers = [(CARD_ID, card.card_id)]
    if one.id_type in DOCUMENT_DOMAINS:
        numbers.append((DOCUMENT_DOMAINS[one.id_type], one.id_number))
    try:
        return new_record(domains, ACCOUNT, str(card.account), fields, numbers)
    except InputError:
        return new_record(domains, ACCOUNT, str(card.account), {"name": one.name}, numbers)


IDENTITY = next(kind for kind, code in DOCUMENT_DOMAINS.items() if code == RESIDENT_ID)
