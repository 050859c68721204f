"""Alembic's entry: runs the migrations on the connection that :func:`common.ledger.migrations.upgrade` opened."""

from alembic import context

from common.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
