"""What takes part in a bench: one way of doing a job, ours or a peer's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from peers import Peer
from peers import optional as peers_there


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Contender:
    """One way of doing a job. Only `run` is on the clock."""

    name: str  # as tables print it
    share: int  # how many items of the job one run does: enough for some 10 to 100 ms
    run: Callable[[Any], Any]
    prepare: Callable[[Any], Any] = _same  # the job's first `share` items -> what `run` takes
    answer: Callable[[Any], Any] = _same  # what `run` gave -> the answer as every other contender gives it


def peers(run: Callable[[Peer, Any], Any], shares: dict[Peer, int], job: str, optional: int) -> list[Contender]:
    """The same job by each peer, and by the optional ones that have the function `job`, `optional` items a run."""
    others = {peer: optional for peer in peers_there()[0].values() if hasattr(peer, job)}
    return [
        Contender(peer.NAME, share, lambda items, peer=peer: run(peer, items))
        for peer, share in (shares | others).items()
    ]


def by_name(*contenders: Contender | Sequence[Contender]) -> dict[str, Contender]:
    """Contenders and lists of them -> name to contender, in the order of the tables."""
    flat = [one for some in contenders for one in (some if isinstance(some, Sequence) else (some,))]
    return {contender.name: contender for contender in flat}
