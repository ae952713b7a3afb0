"""A verification service for compact codes (E2) as an expert writes one: Starlette, orjson, SM4 and HMAC-SM3 of
`cryptography` with contexts made once, redis-py with one pipeline a request, on uvicorn with uvloop and httptools."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from typing import Any

import orjson
import redis.asyncio
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hmac import HMAC
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ALPHABET = {character: i for i, character in enumerate(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}
CALLERS = {bytes.fromhex(os.environ["PEER_CALLER"])}
SECONDS = (30, 60, 120, 300, 3600, 86_400, 2_592_000, 3_155_760_000)
EPOCH_2020 = 1_577_836_800
SINGLE_USE = {"010105"}
TOLERANCE = 60

pool = redis.asyncio.from_url(os.environ["PEER_REDIS"])
alias_cipher = Cipher(algorithms.SM4(bytes.fromhex(os.environ["PEER_ALIAS_KEY"])), modes.ECB())
keyed = HMAC(bytes.fromhex(os.environ["PEER_MAC_KEY"]), hashes.SM3())


def answer(status: int, body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def refused(reason: str) -> Response:
    return answer(200, {"accepted": False, "reason": reason})


def base45(text: bytes) -> bytes:
    digits = [ALPHABET[character] for character in text]
    values = zip(digits[::3], digits[1::3], digits[2::3], strict=True)
    return b"".join((a + 45 * b + 2025 * c).to_bytes(2, "big") for a, b, c in values)


def authentic(code: bytes) -> bool:
    mac = keyed.copy()
    mac.update(code[:32])
    return hmac.compare_digest(mac.finalize()[:16], code[32:])


async def verify(request: Request) -> Response:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if hashlib.sha256(key.encode()).digest() not in CALLERS:
        return answer(401, {"title": "unauthenticated"})
    body = orjson.loads(await request.body())
    code = base45(body["payload"].removeprefix("EHC2:").encode())
    if not authentic(code):
        return refused("forged")
    issued = int.from_bytes(code[6:10], "big") + EPOCH_2020
    expiry, now = issued + SECONDS[code[5] >> 5], int(time.time())
    if expiry + TOLERANCE < now:
        return refused("expired")
    account = int.from_bytes(alias_cipher.decryptor().update(code[16:32])[:8], "big")
    place = body.get("terminal", "")
    pipeline = pool.pipeline(transaction=False)
    pipeline.hmget(f"account:{account}", "state", "name", "card_id")
    if body["scene"] in SINGLE_USE:
        pipeline.set(b"claim:" + code[:16], place, nx=True, ex=expiry + TOLERANCE - now, get=True)
    (state, name, card_id), *claimed = await pipeline.execute()
    if state != b"1":
        return refused("card_state")
    if claimed and claimed[0] not in (None, place.encode()):
        return refused("replayed")
    return answer(200, {"accepted": True, "name": name.decode(), "card_id": card_id.decode(), "expires_at": expiry})


app = Starlette(routes=[Route("/v1/verify", verify, methods=["POST"])])
