"""Names the tier of the run in the report's head; test_every_tier.py reads it."""

from ehc.crypto import tier


def pytest_report_header():
    return f"ehc tier: {tier()}"
