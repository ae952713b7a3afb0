"""Endpoints of SDK authorisation: SDKs, apps, grants, keys, licences, the signature debugger."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.sdkauth.sdk import MOST_BYTES
from ehc.web.endpoint import BODY, Endpoint
from ehc.web.handlers import sdk_apps as apps
from ehc.web.handlers import sdks
from ehc.web.wire import sdk as wire

FOUND = (404, 422, 500, 503)
"""Problems of an endpoint that looks one up."""

_FILE = "application/octet-stream"
_SDK = "/v1/sdks/{sdk}/{version}/{platform}"
_APP = "/v1/apps/{app}"

_SDKS = (
    Endpoint(
        method="POST",
        path="/v1/sdks",
        handler=sdks.add_sdk,
        scope=Scope.APPS_WRITE,
        summary="Register a release of an SDK, as a draft",
        answers={201: wire.SdkRelease},
        body=wire.NewSdk,
        problems=(*BODY, 409),
    ),
    Endpoint(
        method="GET",
        path="/v1/sdks",
        handler=sdks.list_sdks,
        scope=Scope.APPS_READ,
        summary="All releases",
        answers={200: wire.SdkReleases},
        problems=(500, 503),
    ),
    Endpoint(
        method="GET",
        path=_SDK,
        handler=sdks.show_sdk,
        scope=Scope.APPS_READ,
        summary="A release: its state, and its file's digest and signature",
        answers={200: wire.SdkRelease},
        problems=FOUND,
    ),
    Endpoint(
        method="POST",
        path=f"{_SDK}/state",
        handler=sdks.move_sdk,
        scope=Scope.APPS_WRITE,
        summary="Review, publish (it is signed then), deprecate or revoke a release",
        answers={200: wire.SdkRelease},
        body=wire.SdkMove,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="PUT",
        path=f"{_SDK}/file",
        handler=sdks.put_sdk_file,
        scope=Scope.APPS_WRITE,
        summary="The file of a draft, at most 64 MiB",
        answers={200: wire.SdkRelease},
        stream=(_FILE,),
        body_limit=MOST_BYTES,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="GET",
        path=f"{_SDK}/file",
        handler=sdks.get_sdk_file,
        scope=Scope.SDK,
        summary="The file of a published release; X-SDK-Digest and X-SDK-Signature beside it",
        answers={200: _FILE},
        problems=(*FOUND, 409),
    ),
    Endpoint(
        method="GET",
        path="/v1/sdk/authority",
        handler=sdks.show_authority,
        scope=None,
        summary="Public keys that licences, releases and answers are signed with",
        answers={200: wire.AuthorityKeys},
    ),
)

_APPS = (
    Endpoint(
        method="POST",
        path="/v1/apps",
        handler=apps.add_app,
        scope=Scope.APPS_WRITE,
        summary="Register an app, or another system that connects by an SDK",
        answers={201: wire.SdkApp},
        body=wire.NewApp,
        problems=(*BODY, 409),
    ),
    Endpoint(
        method="GET",
        path="/v1/apps",
        handler=apps.list_apps,
        scope=Scope.APPS_READ,
        summary="All apps",
        answers={200: wire.SdkApps},
        problems=(500, 503),
    ),
    Endpoint(
        method="GET",
        path=_APP,
        handler=apps.show_app,
        scope=Scope.APPS_READ,
        summary="An app",
        answers={200: wire.SdkApp},
        problems=FOUND,
    ),
    Endpoint(
        method="PATCH",
        path=_APP,
        handler=apps.change_app,
        scope=Scope.APPS_WRITE,
        summary="An app's test report, and the SM2 key that its downloads are sealed to",
        answers={200: wire.SdkApp},
        body=wire.AppChange,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path=f"{_APP}/state",
        handler=apps.move_app,
        scope=Scope.APPS_WRITE,
        summary="Review, approve, suspend or revoke an app; known to every worker within a second",
        answers={200: wire.SdkApp},
        body=wire.AppMove,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path=f"{_APP}/grants",
        handler=apps.add_grant,
        scope=Scope.APPS_WRITE,
        summary="What an app may do: SDK, scopes, institutions, time, quota. What no grant allows is refused",
        answers={201: wire.AppGrant},
        body=wire.NewGrant,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="GET",
        path=f"{_APP}/grants",
        handler=apps.list_grants,
        scope=Scope.APPS_READ,
        summary="An app's grants, with what was used of their quotas",
        answers={200: wire.AppGrants},
        problems=FOUND,
    ),
    Endpoint(
        method="DELETE",
        path=f"{_APP}/grants/{{grant}}",
        handler=apps.revoke_grant,
        scope=Scope.APPS_WRITE,
        summary="Revoke a grant",
        answers={200: wire.AppGrant},
        problems=FOUND,
    ),
)

_KEYS = (
    Endpoint(
        method="POST",
        path=f"{_APP}/keys",
        handler=apps.add_app_key,
        scope=Scope.APPS_WRITE,
        summary="Another authorisation key (授权密钥); two of a kind may be live",
        answers={201: wire.AppKeyInfo},
        body=wire.NewKey,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="GET",
        path=f"{_APP}/keys",
        handler=apps.list_app_keys,
        scope=Scope.APPS_READ,
        summary="An app's keys, without their secrets",
        answers={200: wire.AppKeys},
        problems=FOUND,
    ),
    Endpoint(
        method="POST",
        path=f"{_APP}/keys/{{key}}/end",
        handler=apps.end_app_key,
        scope=Scope.APPS_WRITE,
        summary="End a key, now or after so many seconds",
        answers={200: wire.AppKeyInfo},
        body=wire.KeyEnd,
        problems=(*BODY, 404),
    ),
    Endpoint(
        method="POST",
        path=f"{_APP}/keys/{{key}}/download",
        handler=apps.fetch_app_key,
        scope=Scope.APPS_WRITE,
        summary="A key, once ever, sealed to the app's SM2 key",
        answers={200: wire.SealedKey},
        problems=(*FOUND, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/sdk/keys/{key}/download",
        handler=apps.fetch_own_key,
        scope=Scope.SDK,
        summary="The same for the app itself, which signs with another key: how one key follows the other",
        answers={200: wire.SealedKey},
        problems=(*FOUND, 409),
    ),
    Endpoint(
        method="POST",
        path=f"{_APP}/licences",
        handler=apps.make_licence,
        scope=Scope.APPS_WRITE,
        summary="A licence file (授权码文件), bound to the app's package and certificate",
        answers={200: wire.LicenceFile},
        body=wire.LicenceRequest,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/sdk/licence",
        handler=apps.make_own_licence,
        scope=Scope.SDK,
        summary="The same for the app itself: licences are short-lived",
        answers={200: wire.LicenceFile},
        body=wire.LicenceRequest,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/sdk/debug",
        handler=apps.debug_signature,
        scope=Scope.SDK,
        summary="Why a request's signature is not right: what should be signed, and where the app's own base differs",
        answers={200: wire.Explanation},
        body=wire.SentRequest,
        problems=BODY,
    ),
)

TABLE = (*_SDKS, *_APPS, *_KEYS)
