"""A re-keying as an outsider may see it: numbers of versions and of accounts."""

from __future__ import annotations

from ehc.cards.rekeying import Rekeying
from ehc.web.render.base import time, time_or_none
from ehc.web.wire import keys as wire


def rekeying(state: Rekeying) -> wire.RekeyingProgress:
    return wire.RekeyingProgress(
        phase=state.phase,
        paused=state.paused,
        working=state.working,
        old_version=state.old_version,
        new_version=state.new_version,
        present=state.present,
        done=state.done,
        total=state.total,
        due=state.due,
        wrong=state.wrong,
        differing=state.differing,
        refused=state.refused,
        rate=state.rate,
        seconds_left=state.seconds_left,
        began_at=time(state.began_at),
        ended_at=time_or_none(state.ended_at),
    )
