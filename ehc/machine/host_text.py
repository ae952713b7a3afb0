"""What NC says of a machine of ours, and what is to be known of any: which versions of its keys do what.

    ehc security_key=2 check_value=1A2B3C derive=2,1 protection_key=3 open=3,2,1

security_key and protection_key: the version that makes now; derive: versions of the security key that may make card
ids; open: versions of the protection key whose tokens hold. What there is none of is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from ehc.keys.keyring import Keyring
from ehc.keys.life import Operation, Purpose

_LONGEST = 255


@dataclass(frozen=True, slots=True)
class HostVersions:
    """None: there is none; deriving None: nobody knows, the machine will say."""

    security: int | None = None
    check_value: str | None = None
    deriving: tuple[int, ...] | None = None
    protection: int | None = None
    opening: tuple[int, ...] = ()


def read_text(text: bytes) -> HostVersions | None:
    """None: the machine is none of ours."""
    words = text.decode("ascii", "replace").split()
    if not words or words[0] != "ehc":
        return None
    said = dict(word.partition("=")[::2] for word in words[1:])
    security, protection = _numbers(said.get("security_key")), _numbers(said.get("protection_key"))
    return HostVersions(
        security[0] if security else None,
        said.get("check_value"),
        _numbers(said.get("derive")),
        protection[0] if protection else None,
        _numbers(said.get("open")),
    )


def _numbers(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (text or "").split(",") if part.isdecimal())


def host_text(keyring: Keyring) -> bytes:
    security = keyring.usable(Purpose.SECURITY_KEY, Operation.DERIVE)
    protection = keyring.usable(Purpose.PROTECTION_KEY, Operation.SEAL)
    opening = keyring.usable(Purpose.PROTECTION_KEY, Operation.OPEN)
    words = ["ehc"]
    if security:
        words += [f"security_key={security[0].version}", f"check_value={security[0].check_value}"]
    words.append(f"derive={_listed([entry.version for entry in security])}")
    if protection:
        words.append(f"protection_key={protection[0].version}")
    words.append(f"open={_listed([entry.version for entry in opening])}")
    return " ".join(words).encode()


def _listed(versions: list[int]) -> str:
    """The newest, as many as a third of the text holds."""
    text = ",".join(map(str, versions))
    return text if len(text) <= _LONGEST // 3 else text[: _LONGEST // 3].rpartition(",")[0]
