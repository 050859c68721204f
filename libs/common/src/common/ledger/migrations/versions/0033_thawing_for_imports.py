"""Tag files of imports: in the line for thaws, in the books, and told of by events. Every statement can be repeated."""

from alembic import op

revision = "0033"
down_revision = "0024"

KINDS = "kind IN ('segment', 'replica', 'import')"

BILLS = """
CREATE TABLE IF NOT EXISTS thaw_import_bills (
    import_id bigint NOT NULL CONSTRAINT fk_thaw_import_bills_import_id REFERENCES imports (id),
    location_id text NOT NULL CONSTRAINT fk_thaw_import_bills_location_id REFERENCES locations (id),
    storage_class text NOT NULL,
    tier text NOT NULL,
    days integer NOT NULL,
    extension boolean NOT NULL,
    currency text NOT NULL,
    objects bigint NOT NULL,
    bytes bigint NOT NULL,
    cost numeric NOT NULL,
    priced boolean NOT NULL,
    CONSTRAINT pk_thaw_import_bills
        PRIMARY KEY (import_id, location_id, storage_class, tier, days, extension, currency))
"""

# What an import holds of the budget is given back when its tag files can be read: it reads them at once.
FOLLOWING = """
CREATE OR REPLACE FUNCTION follow_thaw_of_import() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE thaw_admissions SET released_at = clock_timestamp()
        WHERE kind = 'import' AND row_id = NEW.id AND released_at IS NULL;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS imports_follow_thaw ON imports;
CREATE TRIGGER imports_follow_thaw AFTER UPDATE OF state ON imports FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM OLD.state AND OLD.state = 'warming')
    EXECUTE FUNCTION follow_thaw_of_import()
"""


def upgrade() -> None:
    for table in ("restore_waits", "thaw_admissions"):
        name = f"ck_{table}_kind_is_known"
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({KINDS})")
    op.execute(
        "ALTER TABLE thaw_admissions ALTER COLUMN replica_id DROP NOT NULL, ALTER COLUMN ingest_id DROP NOT NULL"
    )
    op.execute("COMMENT ON COLUMN restore_waits.row_id IS 'of a replica, a segment or an import'")
    op.execute(BILLS)
    op.execute(FOLLOWING)


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
