"""Imports in parts, imports that only look, dates of records that are taken over, layouts of locations."""

from alembic import op

from common.ledger.migrations.online import add_index

revision = "0015"
down_revision = "0014"

_STATES = "state IN ('warming', 'walking', 'finished', 'failed')"


def upgrade() -> None:
    op.execute("ALTER TABLE imports ADD COLUMN IF NOT EXISTS parent_id bigint")
    op.execute('ALTER TABLE imports ADD COLUMN IF NOT EXISTS until text COLLATE "C"')
    op.execute("ALTER TABLE imports ADD COLUMN IF NOT EXISTS registers boolean NOT NULL DEFAULT true")
    op.execute("ALTER TABLE imports ADD COLUMN IF NOT EXISTS source jsonb NOT NULL DEFAULT '{}'::jsonb")
    op.execute("COMMENT ON COLUMN imports.parent_id IS 'the import that this row is a part of'")
    op.execute("COMMENT ON COLUMN imports.until IS 'the last key of its range; empty: the prefix''s last'")
    op.execute("COMMENT ON COLUMN imports.registers IS 'false: it only looks'")
    op.execute("COMMENT ON COLUMN imports.source IS 'what it reads, if not the store''s lists'")
    op.execute("ALTER TABLE imports DROP CONSTRAINT IF EXISTS fk_imports_parent_id")
    op.execute(
        "ALTER TABLE imports ADD CONSTRAINT fk_imports_parent_id FOREIGN KEY (parent_id) REFERENCES imports (id)"
    )
    op.execute("ALTER TABLE imports DROP CONSTRAINT IF EXISTS ck_imports_state_is_known")
    op.execute(f"ALTER TABLE imports ADD CONSTRAINT ck_imports_state_is_known CHECK ({_STATES})")
    op.execute("ALTER TABLE bag_versions ADD COLUMN IF NOT EXISTS created_text text")
    op.execute(
        "COMMENT ON COLUMN bag_versions.created_text IS 'created_date as the record that it was taken from writes it'"
    )
    op.execute(
        "ALTER TABLE locations ADD COLUMN IF NOT EXISTS layout text NOT NULL"
        " DEFAULT '{space}/{externalIdentifier}/v{n}'"
    )
    op.execute("COMMENT ON COLUMN locations.layout IS 'where bags lie below the prefix'")
    add_index("ix_imports_parent", "imports (parent_id) WHERE parent_id IS NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
