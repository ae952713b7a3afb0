"""Codes of the second factor: those of RFC 6238, in their step and its neighbours, and in no other form."""

import pytest

from ehc.access.second_factor import SECRET_BYTES, STEP, SecondFactor

RFC = SecondFactor(b"12345678901234567890")
"""RFC 6238, appendix B, SHA-1; its codes have eight digits, of which these are the last six."""


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_of_rfc_6238(now: int, code: str) -> None:
    assert RFC.step_of(code, now) == now // STEP
    assert RFC.step_of(code, now + STEP) == now // STEP
    assert RFC.step_of(code, now - STEP) == now // STEP
    assert RFC.step_of(code, now + 2 * STEP) is None
    assert RFC.step_of(code, now - 2 * STEP) is None


@pytest.mark.parametrize("code", ["", "28708", "2870820", "28708a", "２８７０８２", "-87082", "287083"])
def test_what_is_no_code_of_it(code: str) -> None:
    assert RFC.step_of(code, 59) is None
    assert RFC.step_of(" 287 082 ", 59) == 1


def test_an_app_gets_the_secret_as_an_address_or_typed() -> None:
    assert SecondFactor(bytes(range(SECRET_BYTES))).typed() == "AAAQ EAYE AUDA OCAJ BIFQ YDIO B4IB CEQT"
    assert RFC.address("li.na") == (
        "otpauth://totp/ehc:li.na?digits=6&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA1&issuer=ehc&period=30"
    )
