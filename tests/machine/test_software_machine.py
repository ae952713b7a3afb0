"""What is particular to the software machine; what every machine does stands in tests/contract/test_key_service.py."""

import pytest

from ehc.crypto import KeyHandle
from ehc.machine.software import SoftwareMachine

SECURITY = KeyHandle(bytes(range(16)), "security_key", 1)
PROTECTION = KeyHandle(bytes(range(16)), "protection_key", 1)


@pytest.mark.parametrize(
    ("security", "protection", "older"),
    [(PROTECTION, PROTECTION, []), (SECURITY, SECURITY, []), (SECURITY, PROTECTION, [SECURITY])],
)
def test_a_key_serves_its_own_purpose_alone(security, protection, older):
    with pytest.raises(ValueError, match="does not serve as a"):
        SoftwareMachine(security, protection, older)


def test_older_versions_are_tried_newest_first():
    older = [KeyHandle(bytes([n] * 16), "protection_key", n) for n in (2, 4, 3)]
    machine = SoftwareMachine(SECURITY, PROTECTION, older)
    shown = repr(machine)
    assert shown.index(" v4 ") < shown.index(" v3 ") < shown.index(" v2 ")
