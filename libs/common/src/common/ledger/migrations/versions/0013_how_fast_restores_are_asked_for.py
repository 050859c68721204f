"""The rate of restore requests that all processes share."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE IF NOT EXISTS restore_rates ("
        " account text CONSTRAINT pk_restore_rates PRIMARY KEY,"
        " rate double precision NOT NULL,"
        " lowered_at timestamptz NOT NULL DEFAULT '2000-01-01 00:00:00+00'::timestamptz,"
        " next_at timestamptz NOT NULL DEFAULT '2000-01-01 00:00:00+00'::timestamptz)"
    )
    op.execute("COMMENT ON COLUMN restore_rates.account IS 'endpoint, region and account'")
    op.execute("COMMENT ON COLUMN restore_rates.rate IS 'restore requests a second when it was lowered'")


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
