"""Adapters of storage: the database of accounts, codes and claims; the keyring's folder; files. See README.md."""
