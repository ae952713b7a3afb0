"""Interfaces of the field over the same services, each a profile that a deployment switches on. See README.md."""
