"""The physical card (实体居民健康卡) as a registry keeps it, its history, and what a store of them must do (5.2)."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from ehc.crypto import sm3
from ehc.crypto.columns import Coded, Texts
from ehc.model import Identity


class CardState(enum.IntEnum):
    """卡状态; the words are the registry's, the numbers are ours (△: no published part of the standard has any)."""

    NORMAL = 1  # 正常
    LOST = 2  # 挂失
    CANCELLED = 3  # 注销: for ever
    BEING_MADE = 4  # 制卡中
    NOT_ISSUED = 5  # 未发放: made, not yet handed out

    @property
    def word(self) -> str:
        """As files and JSON say it."""
        return self.name.lower()

    @property
    def held(self) -> bool:
        """The holder has it, or had it: there is an electronic card for such a holder."""
        return self is CardState.NORMAL or self is CardState.LOST


_STATES = {state.value: state for state in CardState}


class PhysicalCard(NamedTuple):
    """A physical card as a registry says it is; all texts in the one form of checking.py.

    The card number (卡号) means one card in the whole country, for ever. `version` grows with every change that the
    card's registry makes; `source` is the registry that made this version.
    """

    number: str  # 卡号, 1 to 32 upper-case letters and digits
    chip: str  # 芯片号 likewise; "" where it is not known
    issuer: str  # 发卡机构
    id_type: str  # the holder's document, as model.Identity
    id_number: str
    name: str
    state: CardState
    version: int  # 0 to 2^53 - 1, so that JSON carries it
    source: str

    @property
    def holder(self) -> Identity:
        return Identity(self.id_type, self.id_number, self.name)

    def __repr__(self) -> str:
        return f"<PhysicalCard …{self.number[-4:]} {self.state.word} version {self.version} of {self.source}>"


_card = partial(tuple.__new__, PhysicalCard)
"""As PhysicalCard._make, without a call in Python for each of the many."""


@dataclass(frozen=True, slots=True, eq=False)
class CardTable(Sequence[PhysicalCard]):
    """Many cards as columns, which stores write without an object a card; one is made where somebody asks for it."""

    number: Texts
    chip: Texts
    issuer: Coded
    id_type: Texts
    id_number: Texts
    name: Texts
    state: NDArray[np.int16]
    version: NDArray[np.int64]
    source: Coded

    @classmethod
    def of(cls, cards: Sequence[PhysicalCard]) -> CardTable:
        if isinstance(cards, cls):
            return cards
        number, chip, issuer, id_type, id_number, name, state, version, source = zip(*cards, strict=True)
        holder = Texts.of(id_type), Texts.of(id_number), Texts.of(name)
        numbers = np.array(state, np.int16), np.array(version, np.int64)
        return cls(Texts.of(number), Texts.of(chip), Coded.of(issuer), *holder, *numbers, Coded.of(source))

    def rows(self, rows: NDArray[np.intp]) -> CardTable:
        """These alone, in their order."""
        texts = self.number.rows(rows), self.chip.rows(rows), self.issuer.rows(rows)
        holder = self.id_type.rows(rows), self.id_number.rows(rows), self.name.rows(rows)
        return CardTable(*texts, *holder, self.state[rows], self.version[rows], self.source.rows(rows))

    def __len__(self) -> int:
        return len(self.state)

    @overload
    def __getitem__(self, row: int) -> PhysicalCard: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[PhysicalCard]: ...
    def __getitem__(self, row: int | slice) -> PhysicalCard | Sequence[PhysicalCard]:
        if isinstance(row, slice):
            return list(self)[row]
        holder = self.id_type[row], self.id_number[row], self.name[row]
        what = CardState(int(self.state[row])), int(self.version[row])
        return PhysicalCard(self.number[row], self.chip[row], self.issuer[row], *holder, *what, self.source[row])

    def __iter__(self) -> Iterator[PhysicalCard]:
        texts = self.number, self.chip, self.issuer, self.id_type, self.id_number, self.name
        states = map(_STATES.__getitem__, self.state.tolist())
        return map(_card, zip(*texts, states, self.version.tolist(), self.source, strict=True))


class CardEventKind(enum.StrEnum):
    """How a version of a physical card came here."""

    REGISTERED = "registered"  # here
    CHANGED = "changed"  # here
    IMPORTED = "imported"  # from a registry's export
    RECEIVED = "received"  # from another registry, by synchronisation


class CardEvent(NamedTuple):
    """One line of a physical card's history. Nothing that it names is a person's."""

    at: int  # seconds since 1970, as all times
    kind: CardEventKind
    state_before: CardState | None  # None for the first
    state_after: CardState
    version: int | None  # None where a later one has taken its place and nobody wrote it down: the first of many
    source: str | None
    by: str
    note: str


class KeptCard(NamedTuple):
    """A physical card here, and the account of its holder's electronic card, where there is one."""

    card: PhysicalCard
    account: int | None
    changed_at: int


class Ruling(enum.StrEnum):
    """What became of a version that came in."""

    NEW = "new"  # nobody knew the number
    NEWER = "newer"  # it took the place of ours
    SAME = "same"
    OLDER = "older"  # ours stands (versions.py)
    REFUSED = "refused"  # it is none: a field is wrong, and nothing was kept


@dataclass(frozen=True, slots=True)
class Taking:
    """How cards come in. peer and cursor: of a synchronisation, whose place is kept with what it brought."""

    now: int
    kind: CardEventKind
    by: str
    note: str = ""
    peer: str = ""
    cursor: str = ""


class Cursors(NamedTuple):
    """How far a synchronisation with another registry has come."""

    pulled: str = ""  # the other one's word for a place in its feed; "": nothing yet
    pushed: int = 0  # a place in our feed


class RangeDigest(NamedTuple):
    """The SM3 digest over the canonical rows of all cards in a range of numbers, in the order of their numbers."""

    cards: int
    last: str  # the greatest number among them; "": there is none
    digest: bytes  # 32


class RegistryStore(Protocol):
    """Physical cards. What a method returned is committed. All raise Unavailable."""

    place: str  # where they are kept, for a person to read; without a password
    one_writer: bool  # whoever writes here, accounts too, waits for whoever else does

    def known(self, numbers: Sequence[str]) -> Mapping[str, KeptCard]:
        """Those that are here."""
        ...

    def keep(
        self, cards: Sequence[PhysicalCard], accounts: NDArray[np.int64], taking: Taking, *, fresh: bool = False
    ) -> Sequence[Ruling]:
        """Row for row, in one transaction; no number twice. accounts: of the holders' electronic cards; 0: none, or
        the one that the same holder's card has here. fresh: `known` found none of them, which need not be so still."""
        ...

    def find(self, number: str) -> KeptCard | None: ...

    def of_account(self, account: int) -> Sequence[KeptCard]:
        """By number."""
        ...

    def history(self, number: str) -> Sequence[CardEvent]:
        """Oldest first."""
        ...

    def feed(self, after: int, limit: int) -> Sequence[tuple[int, PhysicalCard]]:
        """Cards whose latest change stands behind that place, in the order of their changes, each with its place. A
        card stands in the feed once, with its present version."""
        ...

    def within(self, after: str, until: str, limit: int) -> Sequence[PhysicalCard]:
        """Cards with numbers behind `after` and not behind `until`, by number, byte for byte; until "": to the end."""
        ...

    def count(self) -> int: ...

    def settle(self) -> None:
        """What was committed before is on the disk: at once, unless the store was opened to commit lazily."""
        ...

    def cursors(self, peer: str) -> Cursors: ...

    def pushed(self, peer: str, place: int, now: int) -> None: ...

    def restart(self, peer: str) -> None:
        """The next synchronisation with it begins at the beginning of both feeds."""
        ...


def canonical(card: PhysicalCard) -> bytes:
    """The row that digests are made over: the nine fields in their order, tabs between, the state as its word, a line
    feed at the end, in UTF-8."""
    text = "\t".join((*card[:6], card.state.word, str(card.version), card.source))
    return f"{text}\n".encode()


def digest_of(cards: Sequence[PhysicalCard]) -> RangeDigest:
    """cards: all that there are in a range, by number."""
    return RangeDigest(len(cards), cards[-1].number if cards else "", sm3(b"".join(map(canonical, cards))))
