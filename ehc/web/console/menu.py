"""What stands in the menu, and for whom. The pages' own roles (table.py) decide; a test compares the two."""

from __future__ import annotations

from ehc.access.operator import Role

ALL = frozenset(Role)
SYSTEM, SECURITY, AUDIT = (frozenset({role}) for role in (Role.SYSTEM, Role.SECURITY, Role.AUDIT))

MENU = (
    ("home", "/console/", ALL),
    ("people", "/console/people", SECURITY),
    ("physical_cards", "/console/physical-cards", SECURITY),
    ("index", "/console/index", SECURITY),
    ("reviews", "/console/reviews", SECURITY),
    ("institutions", "/console/institutions", SYSTEM),
    ("statistics", "/console/statistics", ALL),
    ("callers", "/console/callers", SYSTEM),
    ("apps", "/console/apps", SYSTEM),
    ("operators", "/console/operators", SYSTEM),
    ("health", "/console/health", SYSTEM),
    ("rekeying", "/console/rekeying", SYSTEM),
    ("looks", "/console/looks", AUDIT),
    ("deeds", "/console/deeds", AUDIT),
)
