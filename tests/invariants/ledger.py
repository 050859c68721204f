"""What must be true of the ledger's rows by themselves: S4, S7, S14 at any moment; L1, L2, L3 at rest."""

from __future__ import annotations

from collections.abc import Iterator

from invariants.ports import Connection, Violation

_ALWAYS = (
    (
        "S4",
        "a location is registered although not every segment of its ingest is verified",
        "SELECT bl.bag_version_id || ' at ' || bl.location_id FROM bag_locations bl WHERE bl.role = 'replica'"
        " AND (NOT EXISTS (SELECT FROM segments s WHERE s.ingest_id = bl.ingest_id)"
        " OR EXISTS (SELECT FROM segments s WHERE s.ingest_id = bl.ingest_id AND s.state <> 'verified'))",
    ),
    (
        "S4",
        "a location is registered although fewer or more files are proven than its plan has",
        "SELECT bl.bag_version_id || ' at ' || bl.location_id FROM bag_locations bl JOIN replicas r"
        " ON (r.bag_version_id, r.location_id) = (bl.bag_version_id, bl.location_id) WHERE bl.role = 'replica'"
        " AND r.ingest_id = bl.ingest_id AND r.file_count IS DISTINCT FROM (SELECT count(DISTINCT e.path)"
        " FROM evidence e WHERE e.ingest_id = bl.ingest_id AND e.outcome = 'match' AND e.evidence_class = 'E3')",
    ),
    (
        "S4",
        "an ingest has succeeded although the register does not name its location",
        "SELECT i.id FROM ingests i WHERE i.status = 'succeeded' AND NOT EXISTS (SELECT FROM bag_locations bl"
        " WHERE (bl.bag_version_id, bl.location_id) = (i.bag_version_id, i.destination_id))",
    ),
    (
        "S4",
        "a location is registered although its ingest has not succeeded",
        "SELECT i.id FROM ingests i JOIN bag_locations bl ON bl.ingest_id = i.id AND bl.role = 'replica'"
        " WHERE i.status <> 'succeeded'",
    ),
    (
        "S7",
        "more than one ingest runs for one bag version and destination",
        "SELECT bag_version_id || ' to ' || destination_id FROM ingests WHERE finished_at IS NULL"
        " GROUP BY bag_version_id, destination_id HAVING count(*) > 1",
    ),
    (
        "S14",
        "an ingest goes on or has succeeded although bytes of it failed their digest",
        # It may go on for as long as what was copied is still read back, so that all bad files are told.
        "SELECT DISTINCT i.id FROM ingests i JOIN evidence e ON e.ingest_id = i.id"
        " WHERE e.outcome <> 'match' AND i.status NOT IN ('failed', 'cancelled') AND NOT (i.finished_at IS NULL"
        " AND EXISTS (SELECT FROM segments s WHERE s.ingest_id = i.id AND s.state = 'failed')"
        " AND EXISTS (SELECT FROM segments s WHERE s.ingest_id = i.id AND s.state = 'verifying'))",
    ),
    (
        "L4",
        "an ingest is over and its replica or a segment of it is not",
        "SELECT i.id FROM ingests i JOIN replicas r ON r.ingest_id = i.id WHERE i.finished_at IS NOT NULL AND"
        " (r.state NOT IN ('registered', 'failed', 'cancelled') OR EXISTS (SELECT FROM segments s WHERE"
        " s.ingest_id = i.id AND s.state IN ('thawing', 'copying', 'verifying')))",
    ),
)

_AT_REST = (
    (
        "L1",
        "an ingest does not come to an end",
        "SELECT i.id || ' ' || i.status || ', ' || coalesce(string_agg(s.number || ' ' || s.state, ', '), '-')"
        " FROM ingests i LEFT JOIN segments s ON s.ingest_id = i.id AND s.state <> 'verified'"
        " WHERE i.finished_at IS NULL GROUP BY i.id",
    ),
    ("L1", "an import does not come to an end", "SELECT id || ' ' || state FROM imports WHERE finished_at IS NULL"),
    ("L2", "a hint is not published", "SELECT id || ' ' || queue || ' ' || body FROM outbox"),
    (
        "L2",
        "a callback is owed and not on its way",
        "SELECT c.id || ' of ' || c.ingest_id || ' is ' || c.state FROM callbacks c"
        " JOIN ingests i ON i.id = c.ingest_id WHERE i.finished_at IS NOT NULL AND (c.state = 'waiting'"
        " OR (c.state = 'pending' AND greatest(c.due_at, c.lease_until) < clock_timestamp() - interval '10 minutes'))",
    ),
)

_BREEDING = "SELECT queue || ' ' || body FROM outbox GROUP BY queue, body HAVING count(*) > 3"


def check_rows(connection: Connection, *, at_rest: bool) -> Iterator[Violation]:
    for invariant, told, query in _ALWAYS + (_AT_REST if at_rest else ()):
        for (subject,) in connection.execute(query).fetchall():
            yield Violation(invariant, str(subject), told)
    for (subject,) in connection.execute(_BREEDING).fetchall():
        yield Violation("L3", str(subject), "more than 3 hints to one row wait to be published")
