"""Every writing of the keyring stands in the audit log: `change` before it, `changed` after it.

`change` names the counter and SM3 of the document that is about to be put in place; so a document that is not the last
one of its log is an older copy, or another, and is refused. A process killed between the two leaves `change` alone,
and so may the next: then the document is the last one that was finished, or one begun since, and any of them is right.
"""

from __future__ import annotations

from collections.abc import Iterable

from ehc.crypto import sm3
from ehc.errors import KeyringError
from ehc.keys.audit import KEY_CODES, Actor
from ehc.keys.keyring import Deed
from ehc.store.audit_log import AuditLog

_WAY_OUT = (
    "put the latest copy back; if there is none, `ehc keys reinstate` takes this one and writes that into the log"
)


class KeyringHistory:
    """Of one folder."""

    def __init__(self, log: AuditLog) -> None:
        self.log = log

    def last_counter(self) -> int:
        """Of the last document that was to be written; 0 for none."""
        return max(self._possible()[0], default=0)

    def begin(self, counter: int, document: bytes, deeds: Iterable[Deed], actor: Actor) -> None:
        """Raises KeyringError: then nothing may be written."""
        done = [[*deed, KEY_CODES.get(deed.operation, 0)] for deed in deeds]
        what = {"counter": counter, "document": sm3(document).hex(), "deeds": done}
        self.log.append("change", what, actor)

    def end(self, counter: int, actor: Actor) -> None:
        self.log.append("changed", {"counter": counter}, actor)

    def check(self, counter: int, document: bytes) -> None:
        """counter: of the document's header, 0 in version 1. Raises KeyringError when it is not the last one."""
        possible, finished = self._possible()
        if not possible:
            if counter:
                raise KeyringError(f"its audit log {self.log.path} is missing: restore it from a backup")
            return
        newest = max(possible)
        if counter > newest:
            raise KeyringError(f"its audit log ends at writing {newest}, it is writing {counter}: the log is older")
        if counter in possible and sm3(document).hex() != possible[counter]:
            raise KeyringError(f"it is not the document that the audit log knows as writing {counter}; {_WAY_OUT}")
        if counter not in possible and (counter or finished):
            raise KeyringError(f"it is an older copy, writing {counter}; the audit log knows {newest}; {_WAY_OUT}")

    def _possible(self) -> tuple[dict[int, str], bool]:
        """Counter -> SM3 of the documents that may be in place: the last one that was finished, and every one begun
        after it, any of which a kill may have left; and whether one was finished."""
        found: dict[int, str] = {}
        finished = None
        for record in self.log.backwards("change", "changed"):
            if record.act == "changed":
                finished = finished or record.what["counter"]
            elif record.act == "change":
                found[record.what["counter"]] = record.what["document"]
                if record.what["counter"] == finished:
                    break
        return found, finished is not None
