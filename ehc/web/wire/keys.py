"""Keys, as far as anything of them is seen from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from ehc.cards.rekeying import Phase

Version = Annotated[int, Meta(ge=1, le=255, description="of the security key (安全密钥)")]
Count = Annotated[int, Meta(ge=0)]


class RekeyingProgress(Struct, frozen=True):
    """A re-keying (安全密钥更新) as it stands; done, total and rate are of the phase."""

    phase: Phase
    paused: bool
    working: Annotated[bool, Meta(description="there is work through all accounts in this phase, and it is not paused")]
    old_version: Version
    new_version: Version
    present: Annotated[Version, Meta(description="the version whose card ids are shown and made")]
    done: Annotated[Count, Meta(description="accounts")]
    total: Annotated[Count, Meta(description="accounts when the phase began")]
    due: Annotated[Count, Meta(description="accounts, at most: registered or renamed since")]
    wrong: Annotated[Count, Meta(description="new ids that verification found wrong and had made again")]
    differing: Annotated[Count, Meta(description="accounts whose stored id is not what its version gives")]
    refused: Annotated[Count, Meta(description="accounts whose document gives no id: they keep the one they have")]
    rate: Annotated[float, Meta(description="accounts a second of work")]
    seconds_left: Annotated[float | None, Meta(description="of this phase, at that rate; null: not known")]
    began_at: datetime
    ended_at: datetime | None
