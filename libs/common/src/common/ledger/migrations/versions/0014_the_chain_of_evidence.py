"""The chain of evidence and its checkpoints. Every statement can be repeated."""

from alembic import op

revision = "0014"
down_revision = "0013"

_TABLES = """
CREATE TABLE IF NOT EXISTS evidence_chain (
    seq bigint CONSTRAINT pk_evidence_chain PRIMARY KEY,
    form smallint NOT NULL,
    source text NOT NULL CONSTRAINT ck_evidence_chain_source_is_known CHECK (source IN ('evidence', 'actions')),
    source_id bigint NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT uq_evidence_chain_source_source_id UNIQUE (source, source_id)
);
CREATE TABLE IF NOT EXISTS chain_marks (
    source text CONSTRAINT pk_chain_marks PRIMARY KEY,
    sealed_to bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS evidence_checkpoints (
    seq bigint CONSTRAINT pk_evidence_checkpoints PRIMARY KEY,
    hash text NOT NULL,
    document text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    written_at timestamptz
);
"""

_CHECKPOINTS = """
CREATE OR REPLACE FUNCTION keep_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'written_at' IS DISTINCT FROM to_jsonb(OLD) - 'written_at' OR OLD.written_at IS NOT NULL THEN
        RAISE EXCEPTION 'checkpoint % stays as it is', OLD.seq USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

_GUARDS = """
CREATE OR REPLACE TRIGGER chain_only_grows BEFORE UPDATE OR DELETE ON evidence_chain
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER checkpoints_keep BEFORE UPDATE ON evidence_checkpoints
    FOR EACH ROW EXECUTE FUNCTION keep_checkpoint();
CREATE OR REPLACE TRIGGER checkpoints_stay BEFORE DELETE ON evidence_checkpoints
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER chain_is_not_emptied BEFORE TRUNCATE ON evidence_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER checkpoints_are_not_emptied BEFORE TRUNCATE ON evidence_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER evidence_is_not_emptied BEFORE TRUNCATE ON evidence
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER actions_are_not_emptied BEFORE TRUNCATE ON actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    for statement in (_TABLES, _CHECKPOINTS, _GUARDS):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
