# kept.pxi: what a process knows of cards. Part of _native.pyx.

cdef enum:
    COUNTERS = 65536


@cython.final
cdef class _Kept:
    cdef object status
    cdef bytes shown  # of an answer: its members that name the card; None until they were asked for
    cdef object profile, verdict  # of the last batch with a code of this card; None until there was one
    cdef Py_ssize_t counter
    cdef uint32_t counted
    cdef int64_t until, usable_until, codes_from


@cython.final
cdef class KeptStatuses:
    """States of cards (ehc.model.CardStatus) that a process keeps, each while its counter stands still.

    counters: COUNTERS of them, which all workers of a host share: every change of an account moves those of its card id
    and of its account. most: so many are kept; the oldest goes first.
    """
    cdef Counters _counters
    cdef dict _cards  # by card id, or account
    cdef Py_ssize_t _most
    cdef int64_t _turn

    def __init__(self, Counters counters not None, Py_ssize_t most):
        if counters.count != COUNTERS:
            raise ValueError(f"there are {COUNTERS} counters")
        self._counters, self._cards, self._most, self._turn = counters, {}, most, 0

    cdef Py_ssize_t counter(self, card) except -1:
        return card % COUNTERS if isinstance(card, int) else int(card[:4], 16)

    cdef _Kept find(self, card, int64_t now):
        cdef _Kept kept = <_Kept>self._cards.get(card)
        if kept is None or kept.until < now or kept.counted != self._counters.now(kept.counter):
            return None
        return kept

    def recall(self, card, int64_t now):
        """None when it is not known, or not for sure."""
        kept = self.find(card, now)
        return None if kept is None else kept.status

    def changed(self, card):
        """Let all workers ask again."""
        self._counters.add_one(self.counter(card))

    def before(self, cards):
        """What keep() is told: look before the store is asked, so that a change in between makes what is kept useless."""
        return self._turn, [self._counters.now(self.counter(card)) for card in cards]

    def keep(self, card, status, int64_t turn, uint32_t counted, int64_t until, int64_t usable_until):
        """until: it is good no longer (seconds); usable_until: the card itself, -1 for one that is not."""
        cdef _Kept kept = _Kept()
        if turn != self._turn:
            return
        kept.status, kept.counter, kept.counted, kept.until = status, self.counter(card), counted, until
        kept.usable_until, kept.codes_from = usable_until, status.codes_from
        while len(self._cards) >= self._most:
            del self._cards[next(iter(self._cards))]
        self._cards[card] = kept

    def renew(self, int64_t turn):
        """Forget all that was kept in another turn, or is being read in it."""
        if turn != self._turn:
            self._turn, self._cards = turn, {}
