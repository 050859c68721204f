"""A ledger as an archive has it after years: made by set-based SQL, because a million requests would take too long."""

from __future__ import annotations

from sqlalchemy import text

from common.ledger.engine import open_engine
from common.ledger.migrations import upgrade

_LOCATIONS = """
INSERT INTO locations (id, provider, bucket, title) VALUES
    ('archive', 'amazon-s3', 'archive', 'Glacier'), ('azure', 'azure-blob-storage', 'replicas', 'Azure'),
    ('second', 'azure-blob-storage', 'second', 'Second')
"""
_BAGS = """
INSERT INTO bag_versions (space, external_identifier, version, created_date, info, checksum_algorithm, file_count,
                          bytes, pins, files_key, files_sha256)
SELECT 'space-' || i % 10, 'b' || lpad(i::text, 8, '0'), 1, now() - i * interval '1 minute', '{}', 'sha256', 300,
       230000000, '{}', 'file-lists/x', 's'
FROM generate_series(1, :bags) i
"""
_HOMES = """
INSERT INTO bag_locations (bag_version_id, location_id, evidence_class, role)
SELECT id, 'archive', 'E1', 'primary' FROM bag_versions
"""
_INGESTS = """
INSERT INTO ingests (id, ingest_type, space, external_identifier, version, bag_version_id, source_id, destination_id,
                     status, error_code, created_at, finished_at)
SELECT md5('ingest' || id || :destination)::uuid, 'backfill', space, external_identifier, version, id, 'archive',
       :destination, CASE WHEN id % 50 = 0 THEN 'failed' ELSE 'succeeded' END,
       CASE WHEN id % 50 = 0 THEN 'source_changed' END, now() - id * interval '10 seconds',
       now() - id * interval '10 seconds' + interval '2 hours'
FROM bag_versions
WHERE id <= :ingests
"""
_EVENTS = """
INSERT INTO ingest_events (ingest_id, description, once, created_at)
SELECT ingest.id, title || ' succeeded - 300 files, 230.0 MB', title, ingest.created_at + number * interval '20 minutes'
FROM ingests ingest
CROSS JOIN unnest(ARRAY['Planning', 'Warming (Glacier)', 'Replicating to Azure', 'Verification (Azure)', 'Register'])
    WITH ORDINALITY AS stage (title, number)
WHERE ingest.destination_id = :destination
"""


def make_ledger(dsn: str, *, bags: int, ingests: int) -> None:
    """`ingests` finished ingests with five events each, over `bags` bag versions, of which `bags` still lack "azure".

    The ingests went to "second", so that every bag version can still be asked for.
    """
    upgrade(dsn)
    engine = open_engine(dsn, name="benchmark", pool_size=1)
    try:
        with engine.begin() as connection:
            # Nothing may be refused for its length here, and a crash would only mean to begin again.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            # No triggers: nothing here is news to anybody, and these rows refer to rows that are there.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            facts = {"bags": bags, "ingests": ingests, "destination": "second"}
            for statement in (_LOCATIONS, _BAGS, _HOMES, _INGESTS, _EVENTS):
                connection.execute(text(statement), facts)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    finally:
        engine.dispose()
