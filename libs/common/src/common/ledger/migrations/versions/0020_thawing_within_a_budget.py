"""Who waits to be thawed, who was admitted, what was asked of the stores, and what it came to."""

from alembic import op

revision = "0020"
down_revision = "0019"

TABLES = (
    """
CREATE TABLE thaw_looks (
    location_id text NOT NULL CONSTRAINT fk_thaw_looks_location_id REFERENCES locations (id),
    look_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    why text NOT NULL DEFAULT '',
    CONSTRAINT pk_thaw_looks PRIMARY KEY (location_id))
""",
    """
CREATE TABLE thaw_days (
    location_id text NOT NULL CONSTRAINT fk_thaw_days_location_id REFERENCES locations (id),
    day date NOT NULL,
    bytes bigint NOT NULL DEFAULT 0,
    requests bigint NOT NULL DEFAULT 0,
    cost numeric NOT NULL DEFAULT 0,
    CONSTRAINT pk_thaw_days PRIMARY KEY (location_id, day))
""",
    """
CREATE TABLE thaw_admissions (
    kind text NOT NULL CONSTRAINT ck_thaw_admissions_kind_is_known CHECK (kind IN ('segment', 'replica')),
    row_id bigint NOT NULL,
    location_id text NOT NULL CONSTRAINT fk_thaw_admissions_location_id REFERENCES locations (id),
    replica_id bigint NOT NULL,
    ingest_id uuid NOT NULL CONSTRAINT fk_thaw_admissions_ingest_id REFERENCES ingests (id),
    objects bigint NOT NULL,
    bytes bigint NOT NULL,
    cost numeric NOT NULL,
    soonest_seconds bigint NOT NULL,
    latest_seconds bigint NOT NULL,
    named_days integer,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    admitted_at timestamptz,
    days integer,
    left_objects bigint NOT NULL DEFAULT 0,
    rounds integer NOT NULL DEFAULT 0,
    extensions integer NOT NULL DEFAULT 0,
    readable_at timestamptz,
    expires_at timestamptz,
    released_at timestamptz,
    copied boolean NOT NULL DEFAULT false,
    CONSTRAINT pk_thaw_admissions PRIMARY KEY (kind, row_id))
""",
    """
CREATE INDEX ix_thaw_admissions_waiting ON thaw_admissions (location_id, since)
    WHERE admitted_at IS NULL AND released_at IS NULL
""",
    """
CREATE INDEX ix_thaw_admissions_in_flight ON thaw_admissions (location_id, expires_at)
    WHERE admitted_at IS NOT NULL AND released_at IS NULL
""",
    """
CREATE INDEX ix_thaw_admissions_copied ON thaw_admissions (location_id, released_at)
    WHERE copied
""",
    """
CREATE TABLE thaw_bills (
    ingest_id uuid NOT NULL CONSTRAINT fk_thaw_bills_ingest_id REFERENCES ingests (id),
    location_id text NOT NULL CONSTRAINT fk_thaw_bills_location_id REFERENCES locations (id),
    storage_class text NOT NULL,
    tier text NOT NULL,
    days integer NOT NULL,
    extension boolean NOT NULL,
    currency text NOT NULL,
    objects bigint NOT NULL,
    bytes bigint NOT NULL,
    cost numeric NOT NULL,
    priced boolean NOT NULL,
    CONSTRAINT pk_thaw_bills PRIMARY KEY (ingest_id, location_id, storage_class, tier, days, extension, currency))
""",
)

# By whatever statement a row moves on, what it holds of the budget is given back in the same transaction.
FOLLOWING = (
    """
CREATE FUNCTION follow_thaw_of_segment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'copying' THEN
        UPDATE thaw_admissions SET readable_at = clock_timestamp()
            WHERE kind = 'segment' AND row_id = NEW.id AND readable_at IS NULL;
    ELSIF NEW.state = 'thawing' THEN
        UPDATE thaw_admissions SET readable_at = NULL, expires_at = NULL
            WHERE kind = 'segment' AND row_id = NEW.id AND released_at IS NULL;
    ELSE
        UPDATE thaw_admissions SET released_at = clock_timestamp(), copied = NEW.state = 'verifying'
            WHERE kind = 'segment' AND row_id = NEW.id AND released_at IS NULL;
    END IF;
    RETURN NULL;
END $$
""",
    """
CREATE FUNCTION follow_thaw_of_replica() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE thaw_admissions SET released_at = clock_timestamp()
        WHERE kind = 'replica' AND row_id = NEW.id AND released_at IS NULL;
    RETURN NULL;
END $$
""",
    """
CREATE TRIGGER segments_follow_thaw AFTER UPDATE OF state ON segments FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION follow_thaw_of_segment()
""",
    """
CREATE TRIGGER replicas_follow_thaw AFTER UPDATE OF state ON replicas FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM OLD.state AND OLD.state = 'planning')
    EXECUTE FUNCTION follow_thaw_of_replica()
""",
)


def upgrade() -> None:
    for statement in (*TABLES, *FOLLOWING):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
