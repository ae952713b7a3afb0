"""When a request is sent again, and after how long.

never reached the service       again, whatever it was (no connection)
429, or 503 with Retry-After    again: the service said that it did nothing; not when that is too long to wait
nobody knows what became of it  again where it is repeatable (cut off, timed out, 5xx)
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import httpx

from ehc.client.problems import retry_after
from ehc.client.requests import Request

_NEVER_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Retries:
    """attempts: in all. wait, longest: seconds before the second attempt, doubled each time, and at most."""

    attempts: int = 4
    wait: float = 0.2
    longest: float = 5.0

    def after_error(self, request: Request[object], error: httpx.TransportError, attempt: int) -> float | None:
        """Seconds to wait; None: give up. attempt: from 1."""
        if attempt >= self.attempts or not (request.repeatable or isinstance(error, _NEVER_REACHED)):
            return None
        return self._wait(attempt)

    def after_answer(self, request: Request[object], response: httpx.Response, attempt: int) -> float | None:
        status, asked = response.status_code, retry_after(response)
        did_nothing = status == 429 or (status == 503 and asked is not None)
        unknown = status in (408, 500, 502, 503, 504) and request.repeatable
        if attempt >= self.attempts or not (did_nothing or unknown):
            return None
        if asked is not None and asked > self.longest:
            return None
        return max(self._wait(attempt), asked or 0)

    def _wait(self, attempt: int) -> float:
        """Spread, so that many clients do not come back at once."""
        return min(self.longest, self.wait * (1 << (attempt - 1))) * random.uniform(0.5, 1)  # noqa: S311
