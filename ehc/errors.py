"""Every error that ehc raises on purpose, one tree:

    EhcError
    ├── InputError           what came in is wrong; says what, where and what to do   (is a ValueError)
    │   ├── IdentityError    a person's row: .field, .reason
    │   ├── PayloadError     a QR text: .offset, .found
    │   └── FileError        a file as a whole: header, encoding, format
    ├── ConfigError          a setting: unknown, malformed, missing
    ├── Refused              a code was checked and not accepted: .verdict
    ├── Unauthenticated      who asks is not known
    ├── Forbidden            who asks may not do this
    ├── TooMany              who asks goes too fast: .retry_after
    ├── NotFound             no such card, account, key
    ├── Conflict             the state does not allow it
    ├── KeyringError         the keyring cannot be opened, read or written
    │   └── KeyUnavailable   no key of that purpose and version may be used for this
    └── Unavailable          a store, a service or a device cannot be reached

One table, `TABLE`, gives each its problem type (RFC 9457), HTTP status and exit code; `STATUS` names the C statuses.
Anything else that reaches an edge is a fault of ours: it keeps its traceback in the log and loses its detail outside.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Protocol


class Judgement(Protocol):
    """What a refusal says of model.Verdict, which stands above this room."""

    @property
    def step(self) -> int: ...
    @property
    def reason(self) -> Enum: ...


class EhcError(Exception):
    """Base of the tree. `str(error)` is one sentence for the person who must act on it."""


class InputError(EhcError, ValueError):
    """What came in is wrong."""


class IdentityError(InputError):
    """A person's row is refused. field: id_type, id_number or name; reason: without any personal data."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class PayloadError(InputError):
    """A text is not a health-card payload. offset: where it stops being one; found: what it looks like."""

    def __init__(self, reason: str, offset: int, found: str) -> None:
        super().__init__(reason)
        self.offset, self.found = offset, found


class FileError(InputError):
    """A file cannot be used at all."""


class ConfigError(EhcError):
    """A setting is unknown, malformed or missing."""


class Refused(EhcError):
    """A code was checked and is not accepted."""

    def __init__(self, verdict: Judgement) -> None:
        super().__init__(f"refused at step {verdict.step}: {verdict.reason.value}")
        self.verdict = verdict


class Unauthenticated(EhcError):
    """Who asks is not known: no key, or none that is accepted."""


class Forbidden(EhcError):
    """Who asks may not do this."""


class TooMany(EhcError):
    """Who asks goes too fast. retry_after: whole seconds, at least 1."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many requests: come again in {retry_after} s")
        self.retry_after = retry_after


class NotFound(EhcError):
    """No such card, account or key."""


class Conflict(EhcError):
    """The present state does not allow this."""


class KeyringError(EhcError):
    """The keyring cannot be opened, read or written."""


class KeyUnavailable(KeyringError):
    """No key of that purpose and version may be used for this."""


class Unavailable(EhcError):
    """A store, a service or a device cannot be reached."""


class Edge(NamedTuple):
    """What an error is outside: the last part of the problem type, the HTTP status, the exit code."""

    problem: str
    http: int
    exit: int


TABLE: dict[type[BaseException], Edge] = {
    IdentityError: Edge("identity", 422, 3),
    PayloadError: Edge("payload", 422, 3),
    FileError: Edge("file", 422, 3),
    InputError: Edge("input", 422, 3),
    Refused: Edge("refused", 403, 4),
    KeyUnavailable: Edge("key-unavailable", 503, 5),
    KeyringError: Edge("keyring", 500, 5),
    ConfigError: Edge("configuration", 500, 6),
    Unauthenticated: Edge("unauthenticated", 401, 9),
    Forbidden: Edge("forbidden", 403, 9),
    TooMany: Edge("too-many", 429, 9),
    NotFound: Edge("not-found", 404, 7),
    Conflict: Edge("conflict", 409, 7),
    Unavailable: Edge("unavailable", 503, 8),
    EhcError: Edge("error", 500, 1),
}
"""Most particular first."""


def edge(error: BaseException) -> Edge:
    """The row of TABLE for an error; Edge("internal", 500, 1) for what is none of ours."""
    for kind, row in TABLE.items():
        if isinstance(error, kind):
            return row
    return Edge("internal", 500, 1)


STATUS: dict[int, str] = {
    16: "id_number: missing or too short (id_type and id_number have under 3 bytes together)",
    17: "id_number: too long (id_type and id_number have over 32 bytes together); it is never cut",
    18: "id_number: a character outside printable ASCII",
    19: "row: its offsets run backwards, or end before its id does",
    20: "row: needs normalisation",
}
"""C status of a batch row (ehc.h) -> reason. Payload and token statuses are `ehc.model.Reason`."""
