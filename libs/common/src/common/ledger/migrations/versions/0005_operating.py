"""Retries, decisions about dead letters, stalls, and the order of lists. Every statement can be repeated."""

from alembic import op

from common.ledger.migrations.online import add_index

revision = "0005"
down_revision = "0004"

_WORK = {
    "replicas": "state NOT IN ('registered', 'failed')",
    "segments": "state IN ('thawing', 'copying', 'verifying')",
    "imports": "state = 'walking'",
}

_KEEP_WORK = """
CREATE OR REPLACE FUNCTION keep_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.fence < OLD.fence THEN
        RAISE EXCEPTION 'the fence of % % never shrinks', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF OLD.state = ANY (TG_ARGV::text[]) THEN
        RAISE EXCEPTION '% % is % and stays so', TG_TABLE_NAME, OLD.id, OLD.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    NEW.entered_at := clock_timestamp();
    NEW.entered_fence := NEW.fence;
    NEW.stalled_at := NULL;
    NEW.stalls_at := clock_timestamp() + interval '1 hour';
    RETURN NEW;
END $$
"""

_DEAD_LETTERS = """
ALTER TABLE dead_letters
    ADD COLUMN IF NOT EXISTS resolution text
        CONSTRAINT ck_dead_letters_resolution_is_known CHECK (resolution IN ('redriven', 'discarded')),
    ADD COLUMN IF NOT EXISTS resolved_at timestamptz,
    ADD COLUMN IF NOT EXISTS redriven_as uuid
"""

_INDEXES = {
    "ix_ingests_created": "ingests (created_at, id)",
    "ix_ingests_status": "ingests (status, created_at, id)",
    "ix_ingests_space": "ingests (space, created_at, id)",
    "ix_ingests_identifier": "ingests (external_identifier, created_at, id)",
    "ix_ingests_destination": "ingests (destination_id, created_at, id)",
    "ix_ingests_code": "ingests (error_code, created_at, id) WHERE error_code IS NOT NULL",
    "ix_ingests_retry_of": "ingests (retry_of) WHERE retry_of IS NOT NULL",
    "ix_dead_letters_open": "dead_letters (id) WHERE resolution IS NULL",
    "ix_dead_letters_ingest": "dead_letters (ingest_id)",
    "ix_dead_letters_code": "dead_letters (code, id)",
    "ix_dead_letters_queue": "dead_letters (queue, id)",
    "ix_replicas_stalled": "replicas (ingest_id) WHERE stalled_at IS NOT NULL",
    "ix_segments_stalled": "segments (ingest_id) WHERE stalled_at IS NOT NULL",
    "ix_imports_stalled": "imports (id) WHERE stalled_at IS NOT NULL",
} | {f"ix_{table}_stalls": f"{table} (stalls_at) WHERE stalled_at IS NULL AND {open}" for table, open in _WORK.items()}


def upgrade() -> None:
    op.execute("ALTER TABLE ingests ADD COLUMN IF NOT EXISTS retry_of uuid")
    for table in _WORK:
        _add_clock(table)
    op.execute(_KEEP_WORK)
    op.execute(_DEAD_LETTERS)
    for name, on in _INDEXES.items():
        add_index(name, on)


def _add_clock(table: str) -> None:
    """now() is the same for all rows, so that no row is written; from then on each row gets its own time."""
    op.execute(
        f"ALTER TABLE {table}"
        " ADD COLUMN IF NOT EXISTS entered_at timestamptz NOT NULL DEFAULT now(),"
        " ADD COLUMN IF NOT EXISTS entered_fence bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN IF NOT EXISTS stalls_at timestamptz NOT NULL DEFAULT now() + interval '1 hour',"
        " ADD COLUMN IF NOT EXISTS stalled_at timestamptz"
    )
    op.execute(
        f"ALTER TABLE {table} ALTER entered_at SET DEFAULT clock_timestamp(),"
        " ALTER stalls_at SET DEFAULT clock_timestamp() + interval '1 hour'"
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
