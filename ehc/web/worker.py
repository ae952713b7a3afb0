"""What all requests of one process share."""

from __future__ import annotations

from dataclasses import dataclass, field

from ehc.web.gate import Gate
from ehc.web.incoming import Bodies
from ehc.web.observed import Observed
from ehc.wiring import Services


@dataclass(frozen=True, slots=True)
class Worker:
    services: Services
    gate: Gate
    bodies: Bodies
    observed: Observed = field(default_factory=Observed)
    closing: list[tuple[str, str]] = field(default_factory=list)  # headers of every answer once the process is to end

    def drain(self) -> None:
        """From now on every answer ends its connection: the next request comes in elsewhere."""
        self.closing.append(("connection", "close"))


def new_worker(services: Services) -> Worker:
    return Worker(services, Gate(services), Bodies(services.settings.body_seconds))
