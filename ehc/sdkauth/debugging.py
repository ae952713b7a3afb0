"""Why a signature is not right: step by step, what should have been signed, and where the app's own base differs.

Nothing that comes out is secret or made with a secret: the base is made of the request alone, and a signature is only
ever said to be right or not.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from ehc.crypto import constant_time_equal, hmac_sm3
from ehc.crypto import http_signature as http
from ehc.crypto import legacy_signature as legacy
from ehc.crypto.http_signature import Message
from ehc.errors import InputError, Unauthenticated
from ehc.sdkauth import admission
from ehc.sdkauth.admission import Admission, OpenedKey

T = TypeVar("T")

NAMES = {1: "form", 2: "key", 3: "coverage", 4: "time", 5: "signature", 6: "body"}


class Step(NamedTuple):
    number: int
    right: bool
    detail: str


class Difference(NamedTuple):
    """From 1; ours, theirs: the rest of the line from there."""

    line: int
    column: int
    ours: str
    theirs: str


class Explained(NamedTuple):
    steps: list[Step]
    base: str | None
    difference: Difference | None
    hints: list[str]


def explain(known: Admission, message: Message, body: bytes, now: int, window: int, *, theirs: str | None) -> Explained:
    """theirs: the base that the app signed, where it tells."""
    if "signature-input" not in message.headers and "x-digest" in message.headers:
        return _explain_legacy(known, message, body, now, window, theirs=theirs)
    try:
        signed, signature = admission.parse_signature(message)
    except InputError as error:
        return Explained([Step(1, False, str(error))], None, None, [])
    except KeyError:
        return Explained([Step(1, False, "Signature-Input is missing")], None, None, [])
    steps, hints = [Step(1, True, "")], []
    opened = _step(steps, 2, lambda: known.key(signed, now))
    _step(steps, 3, lambda: admission.require_coverage(message, signed, has_body=bool(body)))
    _step(steps, 4, lambda: admission.require_time(signed.created, now, window, signed.expires))
    base = _step(steps, 5, lambda: http.signature_base(message, signed.components, signed.text))
    if base is not None and opened is not None:
        right = opened.is_right(base, signature)
        steps[-1] = Step(5, right, "" if right else "the signature is not right")
        hints = [] if right else _hints(opened, base, signature)
    _body(steps, message, body)
    text = None if base is None else base.decode("utf-8", "replace")
    return Explained(steps, text, _difference(text, theirs), hints)


def _explain_legacy(
    known: Admission, message: Message, body: bytes, now: int, window: int, *, theirs: str | None
) -> Explained:
    """Its steps 1 to 5 are one: which of the app's keys it means is only seen when one fits."""
    base = legacy.sorted_parameters(admission.legacy_parameters(message))
    steps: list[Step] = []
    _step(steps, 5, lambda: known.prove(message, has_body=bool(body), now=now, window=window))
    _body(steps, message, body)
    return Explained(
        steps, base, _difference(base, theirs), ["the base is followed by app_secret, and SM3 is over both"]
    )


def _step(steps: list[Step], number: int, work: Callable[[], T]) -> T | None:
    try:
        done = work()
    except (InputError, Unauthenticated) as error:
        steps.append(Step(number, False, str(error)))
        return None
    steps.append(Step(number, True, ""))
    return done


def _body(steps: list[Step], message: Message, body: bytes) -> None:
    _step(steps, 6, lambda: admission.require_body(message, body))
    if not steps[-1].right and "signature-input" in message.headers:
        steps[-1] = steps[-1]._replace(detail=f"Content-Digest of this body is {http.content_digest(body)}")


def _difference(ours: str | None, theirs: str | None) -> Difference | None:
    if ours is None or theirs is None or ours == theirs:
        return None
    mine, other = ours.split("\n"), theirs.split("\n")
    line = next(
        (i for i, pair in enumerate(zip(mine, other, strict=False)) if pair[0] != pair[1]), min(len(mine), len(other))
    )
    a, b = (lines[line] if line < len(lines) else "" for lines in (mine, other))
    column = next((i for i, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1]), min(len(a), len(b)))
    return Difference(line + 1, column + 1, a[column:], b[column:])


def _hints(opened: OpenedKey, base: bytes, signature: bytes) -> list[str]:
    """Mistakes that are often made, tried out."""
    variants = {
        "the base was signed with a line break at its end": base + b"\n",
        "the lines of the base were ended with CR LF": base.replace(b"\n", b"\r\n"),
    }
    hints = [hint for hint, variant in variants.items() if opened.is_right(variant, signature)]
    if opened.key.kind == "hmac" and opened.secret is not None:
        texts = (opened.secret.hex().encode(), opened.secret.hex().upper().encode())
        if any(constant_time_equal(hmac_sm3(text, base), signature) for text in texts):
            hints.append("the key's hex text was used as the key: use the 32 bytes that it says")
    if opened.key.kind == "sm2" and len(signature) != 64:
        hints.append(f"an SM2 signature is r and s, 64 bytes, no DER; these are {len(signature)}")
    if _is_hex(signature):
        hints.append("the signature is hex text in base64: encode its bytes")
    return hints


def _is_hex(signature: bytes) -> bool:
    try:
        return len(signature) in (64, 128) and bool(binascii.unhexlify(signature))
    except (binascii.Error, ValueError):
        return False
