"""What a look at a location found of uploads that were neither committed nor aborted."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE locations ADD COLUMN IF NOT EXISTS swept_at timestamptz")
    op.execute(
        "CREATE TABLE IF NOT EXISTS unfinished_uploads ("
        " location_id text NOT NULL CONSTRAINT fk_unfinished_uploads_location_id REFERENCES locations (id),"
        ' key text COLLATE "C" NOT NULL,'
        ' upload_id text COLLATE "C" NOT NULL,'
        " owner text NOT NULL CONSTRAINT ck_unfinished_uploads_owner_is_known"
        " CHECK (owner IN ('live', 'abandoned', 'unknown')),"
        " started_at timestamptz,"
        " first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
        " seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
        " aborted_at timestamptz,"
        " CONSTRAINT pk_unfinished_uploads PRIMARY KEY (location_id, key, upload_id))"
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
