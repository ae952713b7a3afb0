"""QR symbols of payloads: error level M, alphanumeric mode, whole pixels a module, quiet zone of 4 modules.

A static payload is version 4-M, a dynamic one 5-M (native/README.md, "Payloads").
"""

from __future__ import annotations

import io

import segno

from ehc.errors import InputError

QUIET_ZONE = 4  # modules; ISO/IEC 18004


def symbol(payload: str) -> segno.QRCode:
    """Raises InputError for a text outside QR alphanumeric mode, such as one in lower case."""
    try:
        return segno.make_qr(payload, error="M", mode="alphanumeric", boost_error=False)
    except ValueError as error:
        raise InputError("payload: not within QR alphanumeric mode (0-9 A-Z space $ % * + - . / :)") from error


def png(payload: str, scale: int = 8) -> bytes:
    """scale: pixels a module, 1 to 64. Raises InputError."""
    return _drawn(payload, scale, "png")


def svg(payload: str, scale: int = 8) -> str:
    """As png; scale in user units."""
    return _drawn(payload, scale, "svg").decode("utf-8")


def _drawn(payload: str, scale: int, kind: str) -> bytes:
    if not isinstance(scale, int) or not 1 <= scale <= 64:
        raise InputError(f"scale: whole pixels a module, 1 to 64, not {scale}")
    image = io.BytesIO()
    symbol(payload).save(image, kind=kind, scale=scale, border=QUIET_ZONE)
    return image.getvalue()
