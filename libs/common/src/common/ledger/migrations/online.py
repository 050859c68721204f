"""What migrations need to change tables that are in use."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

LOCK_TIMEOUT = "2s"
"""How long a statement of a migration may wait for a lock, and everybody else behind it."""

_INVALID = text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")


def add_index(name: str, on: str) -> None:
    """Build an index while the table is written to; `on` is "table (columns) WHERE …".

    What the migration did so far is committed first, so all its statements must be such that they can be repeated.
    A build that was interrupted is begun anew.
    """
    with op.get_context().autocommit_block():
        # It waits for transactions, without keeping anybody from anything: it may wait as long as it takes.
        op.execute("SET lock_timeout = 0")
        if op.get_bind().execute(_INVALID, {"name": name}).first():
            op.execute(f"DROP INDEX CONCURRENTLY {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {on}")
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
