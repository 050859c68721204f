"""Coverage: which bag versions lack a copy at which location, and the sums, kept by triggers."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_COUNT = """
CREATE FUNCTION count_gaps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        INSERT INTO coverage_changes (space, location_id, state, bags, files, bytes)
        SELECT space, location_id, state, -count(*), -sum(files), -sum(bytes) FROM old_rows GROUP BY 1, 2, 3;
    END IF;
    IF TG_OP IN ('UPDATE', 'INSERT') THEN
        INSERT INTO coverage_changes (space, location_id, state, bags, files, bytes)
        SELECT space, location_id, state, count(*), sum(files), sum(bytes) FROM new_rows GROUP BY 1, 2, 3;
    END IF;
    RETURN NULL;
END $$
"""

_NEW_BAGS = """
CREATE FUNCTION cover_bags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gaps (bag_version_id, location_id, space, external_identifier, version, files, bytes, state)
    SELECT b.id, l.id, b.space, b.external_identifier, b.version, b.file_count, b.bytes, 'missing'
    FROM new_rows b CROSS JOIN locations l;
    INSERT INTO coverage_changes (space, location_id, state, bags, files, bytes)
    SELECT space, '', 'at risk', count(*), sum(file_count), sum(bytes) FROM new_rows GROUP BY 1;
    RETURN NULL;
END $$
"""

_NEW_LOCATIONS = """
CREATE FUNCTION cover_locations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN
        -- A bag that is being registered meanwhile sees the location, or is seen here.
        LOCK TABLE bag_versions IN SHARE ROW EXCLUSIVE MODE;
        INSERT INTO gaps (bag_version_id, location_id, space, external_identifier, version, files, bytes, state)
        SELECT b.id, l.id, b.space, b.external_identifier, b.version, b.file_count, b.bytes, 'missing'
        FROM bag_versions b CROSS JOIN new_rows l;
    END IF;
    RETURN NULL;
END $$
"""

_STANDING = """
CREATE FUNCTION standing(copies bigint, verified bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN copies < 2 OR verified < 1 THEN 'at risk' ELSE 'safe' END
$$
"""

_MOVE = """
    INSERT INTO coverage_changes (space, location_id, state, bags, files, bytes)
    WITH fresh AS ({fresh}
    ), counted AS (
        SELECT f.id, count(*) AS copies, count(*) FILTER (WHERE l.evidence_class >= 'E3') AS verified
        FROM fresh f JOIN bag_locations l ON l.bag_version_id = f.id GROUP BY 1
    ), moved AS (
        SELECT f.id, standing(c.copies, c.verified) AS after,
            standing(c.copies - f.copies, c.verified - f.verified) AS before
        FROM fresh f JOIN counted c USING (id)
    ), signed AS (
        SELECT id, after AS state, 1 AS sign FROM moved WHERE after <> before
        UNION ALL SELECT id, before, -1 FROM moved WHERE after <> before
    )
    SELECT b.space, '', s.state, sum(s.sign), sum(s.sign * b.file_count), sum(s.sign * b.bytes)
    FROM signed s JOIN bag_versions b ON b.id = s.id GROUP BY 1, 3;
"""

_COUNT_COPIES = """
    INSERT INTO coverage_changes (space, location_id, state, bags, files, bytes)
    SELECT b.space, c.location_id, c.evidence_class, {sign} * count(*), {sign} * sum(b.file_count),
        {sign} * sum(b.bytes)
    FROM {rows} c JOIN bag_versions b ON b.id = c.bag_version_id GROUP BY 1, 2, 3;
"""

_ONE_BY_ONE = """
    -- Two copies of one bag that are registered at the same time are counted one after the other.
    PERFORM 1 FROM bag_versions WHERE id IN (SELECT bag_version_id FROM new_rows) ORDER BY id FOR NO KEY UPDATE;
"""

_ADDED = """
        SELECT bag_version_id AS id, count(*) AS copies, count(*) FILTER (WHERE evidence_class >= 'E3') AS verified
        FROM new_rows GROUP BY 1"""
_STRENGTHENED = """
        SELECT id, 0 AS copies, sum(verified) AS verified FROM (
            SELECT bag_version_id AS id, (evidence_class >= 'E3')::int AS verified FROM new_rows
            UNION ALL SELECT bag_version_id, -(evidence_class >= 'E3')::int FROM old_rows
        ) each_row GROUP BY 1"""

_FILL_GAPS = """
    DELETE FROM gaps g USING new_rows n WHERE g.bag_version_id = n.bag_version_id AND g.location_id = n.location_id;
"""

_NEW_COPIES = f"""
CREATE FUNCTION cover_copies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_ONE_BY_ONE}
    {_FILL_GAPS}
    {_COUNT_COPIES.format(rows="new_rows", sign=1)}
    {_MOVE.format(fresh=_ADDED)}
    RETURN NULL;
END $$
"""

_NEW_EVIDENCE = f"""
CREATE FUNCTION cover_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_ONE_BY_ONE}
    {_COUNT_COPIES.format(rows="old_rows", sign=-1)}
    {_COUNT_COPIES.format(rows="new_rows", sign=1)}
    {_MOVE.format(fresh=_STRENGTHENED)}
    RETURN NULL;
END $$
"""

_NEW_REPLICAS = """
CREATE FUNCTION cover_replicas() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gaps g SET state = n.state FROM new_rows n
    WHERE g.bag_version_id = n.bag_version_id AND g.location_id = n.location_id AND g.state <> n.state;
    RETURN NULL;
END $$
"""

_MOVED_REPLICA = """
CREATE FUNCTION cover_replica() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gaps SET state = NEW.state
    WHERE bag_version_id = NEW.bag_version_id AND location_id = NEW.location_id AND state <> NEW.state;
    RETURN NULL;
END $$
"""


def _each_statement(name: str, when: str, function: str) -> str:
    """A trigger that sees all rows of a statement at once: bags are imported by the thousand."""
    seen = {"INSERT": "NEW TABLE AS new_rows", "DELETE": "OLD TABLE AS old_rows"}
    rows = seen.get(when.split()[0], "OLD TABLE AS old_rows NEW TABLE AS new_rows")
    return f"CREATE TRIGGER {name} AFTER {when} REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}"


_TRIGGERS = (
    *(
        _each_statement(f"gaps_count_{when.lower()}", f"{when} ON gaps", "count_gaps()")
        for when in ("INSERT", "UPDATE", "DELETE")
    ),
    _each_statement("bag_versions_cover", "INSERT ON bag_versions", "cover_bags()"),
    _each_statement("locations_cover", "INSERT ON locations", "cover_locations()"),
    _each_statement("bag_locations_cover", "INSERT ON bag_locations", "cover_copies()"),
    _each_statement("bag_locations_cover_evidence", "UPDATE ON bag_locations", "cover_evidence()"),
    _each_statement("replicas_cover", "INSERT ON replicas", "cover_replicas()"),
    # By row: a claim changes a row too, many times as often, and shall not pay for this.
    (
        "CREATE TRIGGER replicas_cover_state AFTER UPDATE OF state ON replicas FOR EACH ROW "
        "WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION cover_replica()"
    ),
)

_FILL = (
    "LOCK TABLE bag_versions, bag_locations, replicas, locations IN SHARE ROW EXCLUSIVE MODE",
    (
        "INSERT INTO gaps (bag_version_id, location_id, space, external_identifier, version, files, bytes, state) "
        "SELECT b.id, l.id, b.space, b.external_identifier, b.version, b.file_count, b.bytes, "
        "coalesce(r.state, 'missing') "
        "FROM bag_versions b CROSS JOIN locations l "
        "LEFT JOIN replicas r ON r.bag_version_id = b.id AND r.location_id = l.id "
        "WHERE NOT EXISTS (SELECT FROM bag_locations h WHERE h.bag_version_id = b.id AND h.location_id = l.id)"
    ),
    (
        "INSERT INTO coverage (space, location_id, state, bags, files, bytes) "
        "SELECT space, location_id, state, count(*), sum(files), sum(bytes) FROM gaps GROUP BY 1, 2, 3"
    ),
    (
        "INSERT INTO coverage (space, location_id, state, bags, files, bytes) "
        "SELECT b.space, h.location_id, h.evidence_class, count(*), sum(b.file_count), sum(b.bytes) "
        "FROM bag_locations h JOIN bag_versions b ON b.id = h.bag_version_id GROUP BY 1, 2, 3"
    ),
    (
        "INSERT INTO coverage (space, location_id, state, bags, files, bytes) "
        "SELECT space, '', standing(copies, verified), count(*), sum(file_count), sum(bytes) FROM ("
        "SELECT b.space, b.file_count, b.bytes, count(h.location_id) AS copies, "
        "count(*) FILTER (WHERE h.evidence_class >= 'E3') AS verified "
        "FROM bag_versions b LEFT JOIN bag_locations h ON h.bag_version_id = b.id GROUP BY b.id) each_bag GROUP BY 1, 3"
    ),
)


def upgrade() -> None:
    op.create_table(
        "gaps",
        sa.Column("bag_version_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("external_identifier", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="missing, or the state of the replica that is to fill it"
        ),
        sa.PrimaryKeyConstraint("bag_version_id", "location_id", name=op.f("pk_gaps")),
        comment="bag versions without a registered copy at a location",
    )
    _create_sums()
    for function in (_COUNT, _NEW_BAGS, _NEW_LOCATIONS, _STANDING, _NEW_COPIES, _NEW_EVIDENCE, _NEW_REPLICAS):
        op.execute(function)
    op.execute(_MOVED_REPLICA)
    # Writers wait while the tables are filled (about 10 s for a million bag versions); readers do not.
    for statement in _FILL:
        op.execute(statement)
    op.create_index("ix_gaps_place", "gaps", ["location_id", "space", "external_identifier", "version"])
    op.create_index(
        "ix_gaps_touched",
        "gaps",
        ["location_id", "state", "space", "external_identifier", "version"],
        postgresql_where=sa.text("state <> 'missing'"),
    )
    for trigger in _TRIGGERS:
        op.execute(trigger)


def _create_sums() -> None:
    counts = ("bags", "files", "bytes")
    op.create_table(
        "coverage",
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False, comment="empty: of all locations together"),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="of a gap, or the evidence class of a copy; at risk or safe"
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("space", "location_id", "state", name=op.f("pk_coverage")),
        comment="sums of coverage_changes that were folded",
    )
    op.create_table(
        "coverage_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_changes")),
        comment="what transactions changed; added to coverage now and then, so that they do not wait for each other",
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
