"""Re-keying a province (安全密钥更新): every card gets an id under another version of the security key, while all work.

    backfill    the new id of every account is derived, account by account       old ids are shown; both find the card
    verify      each is derived once more, compared, and looked up               as before
    ready       every account has both                                           as before
    grace       flipped, in one transaction: new ids are shown and made          both find the card
    retire      the old ids find nobody any more, and are cleared away           new ids alone
    retired     over
    roll_back   from any phase before retire: new ids find nobody, and are       old ids alone
                cleared away
    rolled_back over

Every phase is a row of the database, every step of it one transaction with its cursor: a process that is killed has
done a step or has not, and any other goes on. Several may run at once; they share the work.

Whoever registers or renames meanwhile notes the account as due, in the same transaction; the job makes the other id of
due accounts before it goes on, and a change of phase only happens when none is due.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ehc.crypto import Batch
from ehc.crypto.batch import Padding
from ehc.crypto.columns import Column, column_of
from ehc.errors import Conflict, NotFound
from ehc.ports import KeyService


class Phase(enum.StrEnum):
    BACKFILL = "backfill"
    VERIFY = "verify"
    READY = "ready"
    GRACE = "grace"
    RETIRE = "retire"
    ROLL_BACK = "roll_back"
    RETIRED = "retired"
    ROLLED_BACK = "rolled_back"


CLEARING = frozenset({Phase.RETIRE, Phase.ROLL_BACK})
"""The ids of one version find nobody, and are being cleared away."""

OVER = frozenset({Phase.RETIRED, Phase.ROLLED_BACK})

AFTER: Mapping[Phase, Phase] = {
    Phase.BACKFILL: Phase.VERIFY,
    Phase.VERIFY: Phase.READY,
    Phase.RETIRE: Phase.RETIRED,
    Phase.ROLL_BACK: Phase.ROLLED_BACK,
}
"""Where work through all accounts leads to. The other phases wait for somebody to say how it goes on."""

SAID: Mapping[Phase, frozenset[Phase]] = {
    Phase.GRACE: frozenset({Phase.READY}),
    Phase.RETIRE: frozenset({Phase.GRACE}),
    Phase.ROLL_BACK: frozenset({Phase.BACKFILL, Phase.VERIFY, Phase.READY, Phase.GRACE}),
}
"""What somebody may say -> in which phases."""


@dataclass(frozen=True, slots=True)
class Rekeying:
    """One rekeying as it stands. Times are seconds since 1970; done, total and seconds are of the phase."""

    number: int
    old_version: int
    new_version: int
    present: int  # the version whose ids are shown and made
    phase: Phase
    paused: bool
    done: int  # accounts; halves, while a second pass through their keys is to come
    total: int  # that there were when the phase began
    due: int  # accounts, at most: they were registered or renamed since
    wrong: int  # new ids that this verification found wrong; they are due again
    differing: int  # accounts whose stored id is not what the version it names gives
    refused: int  # accounts whose document gives no id: they keep the one they have
    seconds: float  # of work
    began_at: int
    ended_at: int | None

    @property
    def working(self) -> bool:
        """There is work through all accounts, and nobody paused it."""
        return self.phase in AFTER and not self.paused

    @property
    def rate(self) -> float:
        """Accounts a second, in this phase; 0 when nothing was done yet."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Of this phase, at the rate until now."""
        return max(0, self.total - self.done) / self.rate if self.phase in AFTER and self.rate else None


class Packed(NamedTuple):
    """Card ids, row for row; what a row has beyond its length is zero."""

    card_id: NDArray[np.uint8]  # [n, at least the longest]
    lengths: NDArray[np.uint8]  # [n] bytes that count

    @classmethod
    def of(cls, joined: bytes, lengths: NDArray[np.integer[Any]]) -> Packed:
        """joined: one after the other, without gaps."""
        width = int(lengths.max(initial=0))
        card_id = np.zeros((len(lengths), width), np.uint8)
        card_id[np.arange(width) < lengths[:, None]] = np.frombuffer(joined, np.uint8)
        return cls(card_id, lengths.astype(np.uint8))

    @classmethod
    def cut(cls, card_id: NDArray[np.uint8], lengths: NDArray[np.uint8]) -> Packed:
        """Rows that may have something beyond their lengths."""
        if (lengths == card_id.shape[1]).all():
            return cls(card_id, lengths)
        return cls(card_id * (np.arange(card_id.shape[1]) < lengths[:, None]), lengths)

    def some(self, rows: NDArray[Any]) -> Packed:
        return Packed(self.card_id[rows], self.lengths[rows])

    def differs(self, other: Packed) -> NDArray[np.bool_]:
        """Row for row."""
        width = min(self.card_id.shape[1], other.card_id.shape[1])
        unlike = (self.card_id[:, :width] != other.card_id[:, :width]).any(axis=1)
        return np.asarray(unlike | (self.lengths != other.lengths), np.bool_)

    def whole(self) -> list[bytes]:
        return [row[:length].tobytes() for row, length in zip(self.card_id, self.lengths.tolist(), strict=True)]


class Accounts(NamedTuple):
    """Accounts as their rows say, row for row, by account."""

    account: NDArray[np.int64]
    texts: tuple[Column, Column, Column]  # id_type, id_number, name
    key_version: NDArray[np.int64]
    card_id: Packed

    def __len__(self) -> int:
        return len(self.account)

    def some(self, rows: NDArray[np.bool_]) -> Accounts:
        """rows: which."""
        if rows.all():
            return self
        places = np.flatnonzero(rows)
        id_type, id_number, name = (_some(column, places) for column in self.texts)
        texts = id_type, id_number, name
        return Accounts(self.account[places], texts, self.key_version[places], self.card_id.some(places))


class Ids(NamedTuple):
    """What a version gives, row for row."""

    made: Packed  # [n, 32]; of length 0: the document gives none
    differs: NDArray[np.bool_]  # [n] the stored id is not what the version it names gives


Derive = Callable[[Accounts, NDArray[np.int64]], Ids]
"""Ids of these accounts under these versions, row for row."""


class RekeyingStore(Protocol):
    """One step is one transaction. All raise Unavailable."""

    def latest(self) -> Rekeying | None:
        """The open one, else the last."""
        ...

    def turn(self) -> int:
        """Another number each time that what is shown or found has changed."""
        ...

    def present(self) -> int | None:
        """The version to make card ids under, while one is open."""
        ...

    def begin(self, old_version: int, new_version: int, now: int) -> None:
        """Raises Conflict when one is open."""
        ...

    def pause(self, *, paused: bool) -> None:
        """Of the open one."""
        ...

    def drain(self, derive: Derive, most: int) -> int:
        """The other ids of accounts that are due; how many notes this took."""
        ...

    def fill(self, derive: Derive, most: int) -> int:
        """The new ids of the next accounts; how many accounts this took, 0 at the end."""
        ...

    def verify(self, derive: Derive, most: int) -> int:
        """The next accounts have their new ids, and are found by them; what is wrong is due again."""
        ...

    def clear(self, most: int) -> int:
        """The next accounts keep the id of the present version alone."""
        ...

    def again(self) -> None:
        """The phase begins once more."""
        ...

    def enter(self, phase: Phase, allowed: frozenset[Phase], derive: Derive, now: int) -> bool:
        """From a phase that allows it, when nobody is due any more: what is due is done first, with all who register
        or rename kept out for that moment. False in any other phase."""
        ...


MOST = 8192
"""Accounts of one step: tens of milliseconds for which other writers of a SQLite database wait."""


def state_of(store: RekeyingStore) -> Rekeying:
    """The open one, else the last. Raises NotFound when there has never been one."""
    found = store.latest()
    if found is None:
        raise NotFound("card ids have never been re-keyed here: `ehc keys rotate security_key` begins")
    return found


def pause(store: RekeyingStore, *, paused: bool) -> Rekeying:
    """Whoever works on it stops, or may go on. Raises Conflict when it is over."""
    if state_of(store).phase in OVER:
        raise Conflict("no re-keying is open")
    store.pause(paused=paused)
    return state_of(store)


class Rekeyer:
    """The job. Raises Conflict for what the phase does not allow, KeyUnavailable, Unavailable."""

    def __init__(self, store: RekeyingStore, keys: KeyService, padding: Padding = "full", most: int = MOST) -> None:
        self._store, self._keys, self._padding, self._most = store, keys, padding, most

    def state(self) -> Rekeying:
        return state_of(self._store)

    def begin(self, old_version: int, new_version: int, now: int) -> Rekeying:
        """Raises Conflict when one is open, KeyUnavailable when the new version derives nothing."""
        if new_version <= old_version:
            raise Conflict(f"cards have ids of version {old_version}: they are re-keyed to a later one")
        self._keys.rekey_batch(Batch.pack([]), old=old_version, new=new_version, padding=self._padding)
        self._store.begin(old_version, new_version, now)
        return self.state()

    def step(self, now: int) -> bool:
        """A bounded piece of the work that the phase wants; False when there is none left, or it is paused."""
        state = self.state()
        if state.paused or state.phase in OVER:
            return False
        if self._store.drain(self._derive, self._most):
            return True
        if state.phase not in AFTER or self._work(state.phase):
            return state.phase in AFTER
        if state.phase is Phase.VERIFY and self.state().wrong:
            self._store.again()
            return True
        self._store.enter(AFTER[state.phase], frozenset({state.phase}), self._derive, now)
        return True

    def _work(self, phase: Phase) -> int:
        if phase is Phase.BACKFILL:
            return self._store.fill(self._derive, self._most)
        if phase is Phase.VERIFY:
            return self._store.verify(self._derive, self._most)
        return self._store.clear(self._most)

    def flip(self, now: int) -> Rekeying:
        """New ids are shown and made from this moment on, everywhere."""
        return self._say(Phase.GRACE, now, "the new ids are not all verified yet")

    def retire(self, now: int) -> Rekeying:
        """Old ids find nobody from this moment on; `step` clears them away."""
        return self._say(Phase.RETIRE, now, "only after the flip can the old ids end")

    def roll_back(self, now: int) -> Rekeying:
        """Old ids are shown and made as before, the new ones find nobody; `step` clears them away."""
        return self._say(Phase.ROLL_BACK, now, "once the old ids ended there is no way back")

    def _say(self, phase: Phase, now: int, reason: str) -> Rekeying:
        while not self.state().paused and self._store.drain(self._derive, self._most):
            pass  # most of them before anybody has to wait
        if not self._store.enter(phase, SAID[phase], self._derive, now):
            raise Conflict(f"the re-keying is in phase {self.state().phase.value}: {reason}")
        return self.state()

    def _derive(self, accounts: Accounts, versions: NDArray[np.int64]) -> Ids:
        """Each row under the wanted version; under its own, what is stored is compared."""
        n = len(accounts)
        ids = Ids(Packed(np.zeros((n, 32), np.uint8), np.zeros(n, np.uint8)), np.zeros(n, np.bool_))
        for own, wanted in np.unique(np.stack((accounts.key_version, versions)), axis=1).T.tolist():
            rows = (accounts.key_version == own) & (versions == wanted)
            self._derive_alike(accounts.some(rows), rows, own, wanted, ids)
        return ids

    def _derive_alike(self, some: Accounts, rows: NDArray[np.bool_], own: int, wanted: int, ids: Ids) -> None:
        """The later version is the new one to the machine, whichever of the two is wanted."""
        batch = Batch.from_columns(*some.texts)
        both = self._keys.rekey_batch(batch, old=min(own, wanted), new=max(own, wanted), padding=self._padding)
        old, new = (Packed.cut(ids, both.card_id_lengths) for ids in (both.old_card_id, both.new_card_id))
        made, stored = (new, old) if wanted > own else (old, new)
        ids.made.card_id[rows], ids.made.lengths[rows] = made
        if own != wanted:
            ids.differs[rows] = some.card_id.differs(stored)


def _some(column: Column, rows: NDArray[np.intp]) -> Column:
    text, offsets = column[0].tobytes(), column[1].tolist()
    return column_of([text[offsets[row] : offsets[row + 1]] for row in rows.tolist()])
