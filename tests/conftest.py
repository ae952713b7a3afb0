"""Puts tests/ on the path, so that every suite can say `from reference import …` and `from vectors import load`."""

from hypothesis import settings

settings.register_profile("ehc", settings.default, deadline=None)  # no test is timed
settings.load_profile("ehc")
