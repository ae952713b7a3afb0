"""Licence files: checked without a connection, and refused when any bit of them is another one."""

from dataclasses import replace

import pytest

from ehc.crypto import licence as licences
from ehc.crypto.licence import read, require_in_force
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import Conflict, Forbidden, InputError
from ehc.sdkauth.app import AppState, RegisteredApp, new_app
from ehc.sdkauth.grant import new_grant
from ehc.sdkauth.licence import make

NOW = 1_767_225_600
KEY = PrivateKey((7).to_bytes(32, "big"))
CERTIFICATE = bytes(range(32))
GRANT = new_grant("city-app", "ehc", ">=1.0.0", ["verify", "codes"], None, begins_at=NOW, ends_at=NOW + 9_000_000)


class Authority:
    version = 3
    public_keys = {3: bytes(KEY.public_key)}  # noqa: RUF012

    def sign(self, message: bytes) -> tuple[int, bytes]:
        return 3, KEY.sign(message)


def app(**changes: object) -> RegisteredApp:
    made = new_app("city-app", "市卫健委", NOW, package="cn.example.health", certificate=CERTIFICATE)
    return replace(made, **({"state": AppState.APPROVED} | changes))


def a_licence(seconds: int = 3600) -> str:
    return make(Authority(), app(), GRANT, NOW, serial=bytes(16), seconds=seconds)


def check(text: str, now: int = NOW, package: str = "cn.example.health", certificate: bytes = CERTIFICATE) -> None:
    found = read(text, Authority.public_keys)
    require_in_force(found, package=package, certificate=certificate, sdk="ehc", now=now)


def test_a_licence_says_what_the_grant_does() -> None:
    found = read(a_licence(), Authority.public_keys)
    assert (found.app, found.sdk, found.versions, found.scopes) == ("city-app", "ehc", ">=1.0.0", ("codes", "verify"))
    assert (found.begins_at, found.ends_at, found.key) == (NOW, NOW + 3600, 3)
    check(a_licence())


def test_any_single_bit_that_changes_is_refused() -> None:
    """All bits of the file."""
    text = a_licence().encode()
    for i in range(8 * len(text)):
        changed = bytearray(text)
        changed[i // 8] ^= 1 << i % 8
        with pytest.raises((InputError, Forbidden)):
            read(bytes(changed), Authority.public_keys)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t + "\n",
        lambda t: t + "=",
        lambda t: t[:-1],
        lambda t: "",
        lambda t: "a.b.c",
        lambda t: t.replace(".", ".."),
    ],
)
def test_a_text_of_another_form_is_no_licence(change: object) -> None:
    with pytest.raises((InputError, Forbidden)):
        read(change(a_licence()), Authority.public_keys)  # type: ignore[operator]


def test_it_is_bound_to_package_certificate_sdk_and_time() -> None:
    for what in ({"package": "cn.example.other"}, {"certificate": bytes(32)}, {"now": NOW - 61}, {"now": NOW + 3660}):
        with pytest.raises(Forbidden):
            check(a_licence(), **what)  # type: ignore[arg-type]
    check(a_licence(), now=NOW + 3659)  # a clock may be a minute wrong
    with pytest.raises(Forbidden, match="the SDK ehc"):
        require_in_force(
            read(a_licence(), Authority.public_keys),
            package="cn.example.health",
            certificate=CERTIFICATE,
            sdk="other",
            now=NOW,
        )


def test_another_system_s_licence_is_refused() -> None:
    other = PrivateKey.generate()
    with pytest.raises(Forbidden, match="not signed by this system"):
        read(a_licence(), {3: bytes(other.public_key)})
    with pytest.raises(Forbidden, match="not signed by this system"):
        read(a_licence(), {4: bytes(KEY.public_key)})


def test_terms_that_are_changed_and_signed_by_somebody_else_are_refused() -> None:
    found = read(a_licence(), Authority.public_keys)
    text = licences.unsigned(replace(found, ends_at=NOW * 2))
    with pytest.raises(Forbidden):
        read(licences.sealed(text, PrivateKey.generate().sign(text.encode())), Authority.public_keys)


def test_it_ends_with_its_grant() -> None:
    short = replace(GRANT, ends_at=NOW + 60)
    text = make(Authority(), app(), short, NOW, serial=bytes(16), seconds=3600)
    assert read(text, Authority.public_keys).ends_at == NOW + 60


def test_who_may_not_go_on_gets_none() -> None:
    with pytest.raises(Forbidden, match="suspended"):
        make(Authority(), app(state=AppState.SUSPENDED), GRANT, NOW, serial=bytes(16), seconds=1)
    with pytest.raises(Forbidden, match="not in force"):
        make(Authority(), app(), replace(GRANT, revoked_at=NOW), NOW, serial=bytes(16), seconds=1)
    with pytest.raises(Conflict, match="system"):
        make(Authority(), app(certificate=None, package=""), GRANT, NOW, serial=bytes(16), seconds=1)
