"""How the re-keying of the province stands; its commands are `ehc keys rotate`."""

from __future__ import annotations

from starlette.responses import Response

from ehc.cards.rekeying import AFTER, Phase
from ehc.web.console.page import Visit

STEPS = (Phase.BACKFILL, Phase.VERIFY, Phase.READY, Phase.GRACE, Phase.RETIRE, Phase.RETIRED)
BACK = (Phase.ROLL_BACK, Phase.ROLLED_BACK)


def show_rekeying(visit: Visit) -> Response:
    state = visit.services.rekeying.latest()
    steps = STEPS if state is None or state.phase not in BACK else BACK
    return visit.show("rekeying.html", state=state, steps=steps, works=state is not None and state.phase in AFTER)
