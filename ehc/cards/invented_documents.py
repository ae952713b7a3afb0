"""Documents for those who have none: type 99, with a number of ours (△ the standard leaves it open).

    temporary card   T<issuer, 6 digits>-<node, hex>-<serial>     T330100-0-4711
    child            <guardian's type and number><date of birth><birth order>

A child's number can be made again from what its guardian says, so that registering it twice finds one account; twins
differ by birth order. It leaves 19 characters for the guardian's number, which every document of the field keeps to.
"""

from __future__ import annotations

from datetime import date

from ehc.errors import IdentityError, InputError
from ehc.model import Card, Identity, IdType

GUARDIAN_CHARACTERS = 19
NAMELESS = "无名氏"


def temporary_document(issuer: int, node: int, serial: int, name: str) -> Identity:
    return Identity(IdType.OTHER.value, f"T{issuer:06}-{node:X}-{serial}", name)


def child_document(guardian: Identity, born: date, birth_order: int, name: str) -> Identity:
    """Raises IdentityError."""
    if len(guardian.id_number) > GUARDIAN_CHARACTERS:
        raise IdentityError(
            "id_number", f"the guardian's has over {GUARDIAN_CHARACTERS} characters: give the child a temporary card"
        )
    return Identity(IdType.OTHER.value, guardian.id_type + guardian.id_number + _suffix(born, birth_order), name)


def is_of(child: Card, born: date, birth_order: int) -> bool:
    """Whether a card of a child is of the one born then, whatever document its guardian had at the time."""
    return child.identity.id_type == IdType.OTHER and child.identity.id_number.endswith(_suffix(born, birth_order))


def _suffix(born: date, birth_order: int) -> str:
    if not 1 <= birth_order <= 9:
        raise InputError("birth_order: 1 to 9; 1 for a single child")
    return f"{born:%Y%m%d}{birth_order}"
