"""Alembic runs this; `ehc.store.database.migrate` gives it a connection that stands in a transaction."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
