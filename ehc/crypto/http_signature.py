"""HTTP Message Signatures (RFC 9421) as requests and answers of this system carry them; Content-Digest (RFC 9530).

    Content-Digest:  sm3=:BASE64:
    Signature-Input: ehc=("@method" "@authority" …);created=SECONDS;nonce="…";keyid="…";alg="…";tag="ehc"
    Signature:       ehc=:BASE64:

△ `sm3`, `hmac-sm3` and `sm2-sm3` are in no IANA registry: the names are ours. Both sides make the signature base here,
so it has one spelling. Nothing here knows a clock, a key or a connection.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ehc.crypto import constant_time_equal, sm3
from ehc.errors import InputError

LABEL = "ehc"
REQUEST_TAG, ANSWER_TAG = "ehc", "ehc-answer"
ALGORITHMS = ("hmac-sm3", "sm2-sm3")

TARGET = ("@method", "@authority", "@path", "@query")
"""Where a request goes: every signature is over these."""

WITH_BODY = ("content-type", "content-digest")
"""And over these where there is a body."""

OWN = ("x-sdk", "x-institution", "x-purpose", "x-client-time")
"""Headers that change what a request means: signed where they are there."""

_MEMBER = re.compile(
    r"(?P<label>[a-z*][a-z0-9_.*-]*)=(?P<value>\((?P<names>(?:\"[a-z0-9@-]+\"(?: \"[a-z0-9@-]+\")*)?)\)"
    r"(?P<parameters>(?:;[a-z*][a-z0-9_.*-]*=(?:\"[ !#-\[\]-~]*\"|[0-9]{1,15}))*))(?:, *(?=[a-z*])|\Z)"
)
_PARAMETER = re.compile(r";([a-z*][a-z0-9_.*-]*)=(?:\"([^\"]*)\"|([0-9]+))")
_SIGNATURE = re.compile(r"(?P<label>[a-z*][a-z0-9_.*-]*)=:(?P<value>[A-Za-z0-9+/]*={0,2}):(?:, *(?=[a-z*])|\Z)")
_TIMES = ("created", "expires")
_TEXTS = ("nonce", "keyid", "alg", "tag")
_DIGEST = re.compile(r"sm3=:([A-Za-z0-9+/]{43}=):")
NONCE = re.compile(r"[0-9A-Za-z_-]{16,64}")
KEY_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed of a request or an answer. headers: by lower-case name, values of one name joined by ", "."""

    method: str
    authority: str
    target: str  # path and query, as they are sent
    headers: Mapping[str, str]
    status: int | None = None  # of an answer

    def value(self, name: str) -> str | None:
        """Of a component; None where the message has none."""
        if not name.startswith("@"):
            found = self.headers.get(name)
            return None if found is None else found.strip()
        path, _, query = self.target.partition("?")
        derived = {
            "@method": self.method,
            "@authority": self.authority.lower(),
            "@path": path or "/",
            "@query": "?" + query,
            "@status": None if self.status is None else str(self.status),
        }
        return derived.get(name)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a Signature-Input says. text: its value as it came, which the last line of the base repeats."""

    label: str
    components: tuple[str, ...]
    text: str
    created: int
    nonce: str
    key_id: str
    algorithm: str
    tag: str
    expires: int | None = None  # the last second in which it is good


def content_digest(body: bytes) -> str:
    return f"sm3=:{base64.b64encode(sm3(body)).decode()}:"


def is_digest_of(header: str, body: bytes) -> bool:
    """Only the one spelling of SM3's digest, alone."""
    return bool(_DIGEST.fullmatch(header)) and constant_time_equal(header.encode(), content_digest(body).encode())


def split(url: str) -> tuple[str, str]:
    """Authority and target (path and query) of an absolute URL; the authority is empty in a relative one. Raises
    InputError."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError("url: not a URL") from error
    return parts.netloc, f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def components_of(message: Message, *, has_body: bool) -> tuple[str, ...]:
    """What a signature of this request must be over, in the order in which we write it."""
    own = tuple(name for name in OWN if name in message.headers)
    return TARGET + (WITH_BODY if has_body else ()) + own


def signature_input(
    components: Sequence[str], *, created: int, nonce: str, key_id: str, algorithm: str, tag: str = REQUEST_TAG
) -> str:
    """The value of the member, without its label."""
    names = " ".join(f'"{name}"' for name in components)
    return f'({names});created={created};nonce="{nonce}";keyid="{key_id}";alg="{algorithm}";tag="{tag}"'


def signature_base(message: Message, components: Sequence[str], text: str) -> bytes:
    """RFC 9421, 2.5. text: value of the member. Raises InputError for a component that the message has not."""
    lines = []
    for name in components:
        value = message.value(name)
        if value is None:
            raise InputError(f'Signature-Input: "{name}" is signed, and the message has none')
        lines.append(f'"{name}": {value}')
    return "\n".join([*lines, f'"@signature-params": {text}']).encode("utf-8", "surrogateescape")


def parse(header: str, tag: str = REQUEST_TAG) -> Signed:
    """The one member of a Signature-Input that has this tag. Raises InputError that says what is wrong with it."""
    members = [(member, _parameters(member["parameters"])) for member in _members("Signature-Input", _MEMBER, header)]
    found = [(member, parameters) for member, parameters in members if parameters.get("tag") == tag]
    if len(found) != 1:
        raise InputError(f'Signature-Input: one member with tag="{tag}" is wanted, there are {len(found)}')
    return _signed(*found[0])


def _members(name: str, pattern: re.Pattern[str], header: str) -> Iterator[re.Match[str]]:
    """Of a dictionary (RFC 8941), each once."""
    at, labels = 0, set[str]()
    while at < len(header):
        member = pattern.match(header, at)
        if member is None:
            raise InputError(f"{name}: not as RFC 9421 writes it, from character {at} on")
        if member["label"] in labels:
            raise InputError(f"{name}: the member {member['label']} stands twice")
        labels.add(member["label"])
        at = member.end()
        yield member


def _parameters(text: str) -> dict[str, str]:
    given = _PARAMETER.findall(text)
    parameters = {name: text or number for name, text, number in given}
    if len(parameters) != len(given):
        raise InputError("Signature-Input: a parameter stands twice")
    for name, _, number in given:
        if name in _TIMES and not number:
            raise InputError(f"Signature-Input: {name} is seconds since 1970, without quotes")
        if name in _TEXTS and number:
            raise InputError(f"Signature-Input: {name} stands in quotes")
    return parameters


def _signed(member: re.Match[str], parameters: Mapping[str, str]) -> Signed:
    missing = [name for name in ("created", "nonce", "keyid", "alg") if not parameters.get(name)]
    if missing:
        raise InputError(f"Signature-Input: {missing[0]} is missing")
    names = tuple(name.strip('"') for name in member["names"].split())
    if len(set(names)) != len(names):
        raise InputError("Signature-Input: a component stands twice")
    if not re.fullmatch(r"[0-9]{1,12}", parameters["created"]):
        raise InputError("Signature-Input: created is seconds since 1970")
    if not NONCE.fullmatch(parameters["nonce"]):
        raise InputError("Signature-Input: nonce has 16 to 64 letters, digits, - and _")
    if not KEY_ID.fullmatch(parameters["keyid"]):
        raise InputError("Signature-Input: keyid has 1 to 64 letters, digits, dots, dashes and underscores")
    if parameters["alg"] not in ALGORITHMS:
        raise InputError(f"Signature-Input: alg is one of {', '.join(ALGORITHMS)}")
    created, expires = int(parameters["created"]), parameters.get("expires")
    rest = (parameters["nonce"], parameters["keyid"], parameters["alg"], parameters["tag"])
    return Signed(member["label"], names, member["value"], created, *rest, None if expires is None else int(expires))


def signature_of(header: str, label: str) -> bytes:
    """The bytes of a Signature's member. Raises InputError."""
    for member in [*_members("Signature", _SIGNATURE, header)]:
        if member["label"] == label:
            return decode(member["value"])
    raise InputError(f"Signature: no member {label}=:BASE64:")


def decode(text: str) -> bytes:
    """Base64 in the one spelling that its bytes have. Raises InputError."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise InputError("Signature: not base64") from error
    if base64.b64encode(data).decode() != text:
        raise InputError("Signature: base64 with bits that mean nothing")
    return data


def signature_headers(
    message: Message,
    components: Sequence[str],
    sign: Callable[[bytes], bytes],
    text: str,
) -> dict[str, str]:
    """Both headers. text: of `signature_input`; sign: over the base."""
    signature = base64.b64encode(sign(signature_base(message, components, text))).decode()
    return {"signature-input": f"{LABEL}={text}", "signature": f"{LABEL}=:{signature}:"}
