"""What all requests of one process share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ehc.web import terminals
from ehc.web.gate import Gate
from ehc.web.incoming import Bodies
from ehc.web.observed import Observed
from ehc.web.quotas import Quotas
from ehc.web.traces import Traces, open_traces
from ehc.wiring.services import Services, open_sandbox
from ehc.wiring.stores import open_rates


@dataclass(frozen=True, slots=True)
class Worker:
    services: Services
    gate: Gate
    bodies: Bodies
    observed: Observed
    traces: Traces | None
    quotas: Quotas
    sandbox: Services | None  # what apps of the sandbox act on
    closing: list[tuple[str, str]] = field(default_factory=list)  # headers of every answer once the process is to end

    def drain(self) -> None:
        """From now on every answer ends its connection: the next request comes in elsewhere."""
        self.closing.append(("connection", "close"))

    def close(self) -> None:
        self.observed.write()
        terminals.write(self.services)
        if self.traces is not None:
            self.traces.close()
        self.services.close()
        if self.sandbox is not None:
            self.sandbox.close()


def new_worker(services: Services, numbers: Path | None) -> Worker:
    """numbers: folder in which the workers of one service count, each for itself and all together."""
    settings = services.settings
    bodies, observed = Bodies(settings.body_seconds), Observed(numbers)
    sandbox = open_sandbox(settings, services.clock) if settings.sandbox else None
    quotas, gate = Quotas(services.app_registry.use), Gate(services, open_rates(numbers))
    return Worker(services, gate, bodies, observed, open_traces(settings), quotas, sandbox)
