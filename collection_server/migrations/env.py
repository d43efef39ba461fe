"""Run by Alembic; the connection is handed in."""

from __future__ import annotations

from alembic import context

from collection_server.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("use `collection-server init` or `collection-server upgrade`")

context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
