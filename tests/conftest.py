"""Puts tests/ on the path, so that every suite can say `from reference import …` and `from vectors import load`."""
