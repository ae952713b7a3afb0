"""RFC 9421's own example, and every way in which headers can be wrong."""

import base64
import string

import pytest

from ehc.crypto import http_signature as http
from ehc.crypto import legacy_signature as legacy
from ehc.crypto.http_signature import Message
from ehc.errors import InputError

# RFC 9421, section 2.5
DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
RFC = Message(
    "POST",
    "example.com",
    "/foo?param=Value&Pet=dog",
    {
        "content-type": "application/json",
        "content-digest": DIGEST,
        "content-length": "18",
    },
)
RFC_TEXT = (
    '("@method" "@authority" "@path" "content-digest" "content-length" "content-type")'
    ';created=1618884473;keyid="test-key-rsa-pss"'
)
RFC_BASE = '''"@method": POST
"@authority": example.com
"@path": /foo
"content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
"content-length": 18
"content-type": application/json
"@signature-params": ("@method" "@authority" "@path" "content-digest" "content-length" "content-type")\
;created=1618884473;keyid="test-key-rsa-pss"'''


def test_the_signature_base_is_the_one_of_the_rfc() -> None:
    names = ("@method", "@authority", "@path", "content-digest", "content-length", "content-type")
    assert http.signature_base(RFC, names, RFC_TEXT).decode() == RFC_BASE


def test_query_and_path_as_the_rfc_derives_them() -> None:
    assert RFC.value("@query") == "?param=Value&Pet=dog"
    assert Message("GET", "EXAMPLE.com", "", {}).value("@path") == "/"
    assert Message("GET", "EXAMPLE.com", "/", {}).value("@query") == "?"
    assert Message("GET", "EXAMPLE.com", "/", {}).value("@authority") == "example.com"


GOOD = http.signature_input(
    ("@method", "@path"), created=1_767_225_600, nonce="n" * 16, key_id="k-1", algorithm="hmac-sm3"
)


def test_what_is_written_is_read_again() -> None:
    signed = http.parse(f"ehc={GOOD}")
    assert (signed.label, signed.components, signed.text) == ("ehc", ("@method", "@path"), GOOD)
    assert (signed.created, signed.nonce, signed.key_id) == (1_767_225_600, "n" * 16, "k-1")
    assert http.parse(f'proxy=("@status");created=1;tag="other", sig1={GOOD}').label == "sig1"


def test_parameters_may_come_in_any_order() -> None:
    other = f'("@path");tag="ehc";alg="sm2-sm3";keyid="k";nonce="{"n" * 16}";created=5;expires=9'
    signed = http.parse(f"a={other}")
    assert (signed.algorithm, signed.created, signed.expires, signed.text) == ("sm2-sm3", 5, 9, other)
    assert http.parse(f"ehc={GOOD}").expires is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "ehc",
        "ehc=",
        'ehc="text"',
        f"ehc= {GOOD}",
        f"ehc={GOOD};",
        f"ehc={GOOD} ",
        f"EHC={GOOD}",
        f"a={GOOD}, b={GOOD}",
        f"ehc={GOOD}".replace('tag="ehc"', 'tag="other"'),
        f"ehc={GOOD};created=1",
        f"ehc={GOOD}".replace(";created=1767225600", ""),
        f"ehc={GOOD}".replace("1767225600", "-1"),
        f"ehc={GOOD}".replace("1767225600", "1.5"),
        f"ehc={GOOD}".replace("n" * 16, "n" * 15),
        f"ehc={GOOD}".replace("n" * 16, "n" * 65),
        f"ehc={GOOD}".replace("n" * 16, "n" * 15 + "é"),
        f"ehc={GOOD}".replace("hmac-sm3", "hmac-sha256"),
        f"ehc={GOOD}".replace('"@path"', '"@path" "@path"'),
        f"ehc={GOOD}".replace('"@path"', '"@path";req'),
        f"ehc={GOOD}".replace('" "', '"  "'),
        f"ehc={GOOD}".replace("k-1", 'k"1'),
        f"ehc={GOOD},",
        f"ehc={GOOD}, ",
        f"ehc={GOOD}\n",
        f"ehc={GOOD}, ehc={GOOD}".replace('tag="ehc"', 'tag="other"', 1),
        f"ehc={GOOD}".replace(f';nonce="{"n" * 16}"', ""),
        f"ehc={GOOD}".replace(';keyid="k-1"', ""),
        f"ehc={GOOD}".replace(';alg="hmac-sm3"', ""),
        f"ehc={GOOD}".replace(';tag="ehc"', ""),
        f"ehc={GOOD}".replace("1767225600", '"1767225600"'),
        f"ehc={GOOD}".replace('"k-1"', "1"),
        f'ehc={GOOD};expires="9"',
        f"ehc={GOOD};expires=9;expires=10",
    ],
)
def test_a_signature_input_of_another_form_is_refused(header: str) -> None:
    with pytest.raises(InputError, match="Signature-Input"):
        http.parse(header)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ehc=::x",
        "ehc=:YQ:",
        "ehc=:YR==:",
        "ehc=:Y Q==:",
        "ehc=:_-==:",
        "ehc=:YQ=:",
        "ehc=:YQ===:",
        "other=:YQ==:",
        "ehc=YQ==",
        "ehc=:YQ==:,",
        "ehc=:YQ==:, x",
        "ehc=:YQ==:, ehc=:YWI=:",
        "ehc=:YQ==:;a=1",
    ],
)
def test_a_signature_has_one_spelling(text: str) -> None:
    with pytest.raises(InputError, match="Signature"):
        http.signature_of(text, "ehc")
    assert http.signature_of("x=:YWI=:, ehc=:YQ==:", "ehc") == b"a"


def test_the_digest_of_a_body_has_one_spelling() -> None:
    right = http.content_digest(b"abc")
    assert base64.b64decode(right[5:-1]).hex().startswith("66c7f0f462eeedd9d1f2d46bdc10e4e2")  # GB/T 32905, A.1
    assert http.is_digest_of(right, b"abc")
    others = {f"{right[:-3]}{one}=:" for one in string.ascii_letters + string.digits + "+/"} - {right}
    others |= {f"{right}, {right}", f"sha-256=:YQ==:, {right}", right.replace("sm3", "sha-256"), f"{right[:-2]}:"}
    for wrong in (right.lower(), right[:-1], f"{right}, x=:YQ==:", right.replace("sm3", "SM3"), "", "sm3=::", *others):
        assert not http.is_digest_of(wrong, b"abc")
    assert not http.is_digest_of(right, b"abd")


def test_a_component_that_the_message_has_not_is_named() -> None:
    with pytest.raises(InputError, match='"x-sdk" is signed, and the message has none'):
        http.signature_base(RFC, ("x-sdk",), "()")


def test_the_field_s_app_secret_is_the_published_one() -> None:
    """Domain, SDK authorisation: a published vector."""
    secret = legacy.app_secret("bmwt7kpc079gmmoj0e", "fdnwxuqxk4n5esyp07")
    assert secret == "B37496C26E475D07F032F1657E80D7A69FD87E1CCC819A8D74B751293E6A6D76"


def test_legacy_parameters_are_sorted_and_empty_ones_left_out() -> None:
    assert legacy.sorted_parameters({"b": "2", "a": "电", "c": ""}) == "a=电&b=2"
    digest = legacy.digest("a=1", "S" * 64)
    assert legacy.is_digest(digest.lower(), "a=1", "S" * 64)
    assert not legacy.is_digest(digest, "a=2", "S" * 64)
