"""Alembic's entry point: migrate the connection that the ledger hands over."""

from __future__ import annotations

from alembic import context

from thirdshift.adapters.ledger.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
