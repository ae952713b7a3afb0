"""Issued codes."""

from __future__ import annotations

from ehc.codes.issuing import IssuedCode
from ehc.web.render.base import time_or_none
from ehc.web.wire import codes as wire


def code(of: IssuedCode, kind: wire.Kind) -> wire.Code:
    return wire.Code(of.payload, kind, time_or_none(of.expires_at), time_or_none(of.refresh_at))
