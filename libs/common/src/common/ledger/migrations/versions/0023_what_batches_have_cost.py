"""What batches asked for, and whether it is in the books. Every statement can be repeated."""

from alembic import op

from common.ledger.migrations.online import add_index

revision = "0023"
down_revision = "0021"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE batch_requests"
        " ADD COLUMN IF NOT EXISTS amounts jsonb NOT NULL DEFAULT '[]'::jsonb,"
        " ADD COLUMN IF NOT EXISTS restores jsonb"
    )
    op.execute("COMMENT ON COLUMN batch_requests.amounts IS 'class and size of each'")
    op.execute("COMMENT ON COLUMN batch_requests.restores IS 'what the store took on, as it is in the books'")
    add_index("ix_batch_requests_unbilled", "batch_requests (location_id) WHERE state = 'done' AND restores IS NULL")


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
