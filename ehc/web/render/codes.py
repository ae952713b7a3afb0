"""Issued codes."""

from __future__ import annotations

from ehc.codes.issuing import IssuedCode
from ehc.codes.label import Sheet
from ehc.codes.revoking import Revoked
from ehc.web.render.base import time, time_or_none
from ehc.web.wire import codes as wire

SHEETS = {"a4": Sheet(), "single": Sheet(columns=1, rows=1, top=0, page=(70, 37))}


def code(of: IssuedCode, kind: wire.Kind) -> wire.Code:
    return wire.Code(of.payload, kind, time_or_none(of.expires_at), time_or_none(of.refresh_at))


def revoked(of: Revoked) -> wire.RevokedCode:
    return wire.RevokedCode(of.card.card_id, of.card.name, time(of.until))
