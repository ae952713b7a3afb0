"""SDKs: registered, uploaded, reviewed, published, given out; the public keys of this system."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from ehc.crypto import sm3
from ehc.errors import Forbidden
from ehc.sdkauth.act import Act
from ehc.sdkauth.registry import SdkRegistry
from ehc.sdkauth.sdk import Sdk, SdkId, sdk_id
from ehc.web import reply
from ehc.web.endpoint import Call, Chunks
from ehc.web.render import sdk as render
from ehc.web.reply import Reply
from ehc.web.wire import sdk as wire

PART_BYTES = 1 << 20
REQUESTS_A_FILE = 50
"""A file is charged to its caller's rate as the work that it is."""


def require_authority(call: Call) -> None:
    """An institution registers no SDK, no app and no grant."""
    if call.caller.institution is not None:
        raise Forbidden(f"{call.caller.name} speaks for an institution: only an authority's caller may do this")


def act_of(call: Call, why: str = "") -> Act:
    return Act(call.services.clock(), call.caller.name, why)


async def add_sdk(call: Call, body: wire.NewSdk) -> Reply:
    require_authority(call)
    id = sdk_id(body.name, body.version, body.platform)
    made = await run_in_threadpool(call.services.sdks.add, id, body.note, act_of(call))
    return reply.json(render.release(made), 201)


async def list_sdks(call: Call) -> Reply:
    found = await run_in_threadpool(call.services.sdks.all)
    return reply.json(wire.SdkReleases([render.release(one) for one in found]))


async def show_sdk(call: Call, sdk: str, version: str, platform: str) -> Reply:
    id = sdk_id(sdk, version, platform)
    return await _show(lambda: call.services.sdks.find(id))


async def move_sdk(call: Call, sdk: str, version: str, platform: str, body: wire.SdkMove) -> Reply:
    require_authority(call)
    id, act = sdk_id(sdk, version, platform), act_of(call, body.reason)
    return await _show(lambda: call.services.sdks.move(id, body.state, act))


async def put_sdk_file(call: Call, sdk: str, version: str, platform: str, body: Chunks) -> Reply:
    require_authority(call)
    call.cost = REQUESTS_A_FILE
    id = sdk_id(sdk, version, platform)
    data = b"".join([piece async for piece in body])
    return await _show(lambda: _put(call.services.sdks, id, data, act_of(call)))


def _put(sdks: SdkRegistry, id: SdkId, data: bytes, act: Act) -> Sdk:
    parts = (data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES))
    return sdks.put_file(id, parts, sm3(data), len(data), act)


async def get_sdk_file(call: Call, sdk: str, version: str, platform: str) -> Reply:
    call.cost = REQUESTS_A_FILE
    id = sdk_id(sdk, version, platform)

    def work() -> Reply:
        found, parts = call.services.sdks.file(id)
        data = b"".join(parts)
        signature = "" if found.signature is None else found.signature.hex().upper()
        own = (("x-sdk-digest", sm3(data).hex().upper()), ("x-sdk-signature", signature))
        return Reply(data, 200, "application/octet-stream", (*own, ("x-sdk-signed-by", str(found.signed_by))))

    return await run_in_threadpool(work)


async def show_authority(call: Call) -> Reply:
    public_keys = call.services.authority.public_keys
    keys = [wire.AuthorityKey(version, public_keys[version].hex().upper()) for version in sorted(public_keys)]
    return reply.json(wire.AuthorityKeys(keys[::-1]))


async def _show(work: Callable[[], Sdk]) -> Reply:
    return reply.json(render.release(await run_in_threadpool(work)))
