"""Which state of a physical card follows which, where it is changed here; what another registry says of its cards is
judged by versions.py alone."""

from __future__ import annotations

from collections.abc import Mapping

from ehc.errors import Conflict
from ehc.registry.card import CardState

LIFE: Mapping[CardState, frozenset[CardState]] = {
    CardState.BEING_MADE: frozenset({CardState.NOT_ISSUED, CardState.NORMAL, CardState.CANCELLED}),
    CardState.NOT_ISSUED: frozenset({CardState.NORMAL, CardState.CANCELLED}),  # 发放
    CardState.NORMAL: frozenset({CardState.LOST, CardState.CANCELLED}),  # 挂失
    CardState.LOST: frozenset({CardState.NORMAL, CardState.CANCELLED}),  # 解挂
    CardState.CANCELLED: frozenset(),
}


def require_step(before: CardState, after: CardState) -> None:
    """Raises Conflict that says what may follow."""
    if after not in LIFE[before]:
        may = ", ".join(sorted(state.word for state in LIFE[before])) or "nothing"
        raise Conflict(f"a physical card that is {before.word} cannot become {after.word}; what may follow: {may}")
