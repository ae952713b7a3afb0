"""Alembic's steps from an empty database to `ehc.store.tables`; run by `ehc.store.database.migrate`."""
