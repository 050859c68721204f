"""The code of an attempt to call back: why it came to nothing."""

from alembic import op

revision = "0022"
down_revision = "0034"


def upgrade() -> None:
    op.execute("ALTER TABLE callback_attempts ADD COLUMN IF NOT EXISTS code text")
    op.execute("COMMENT ON COLUMN callback_attempts.code IS 'of the error; NULL where it was delivered'")


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
