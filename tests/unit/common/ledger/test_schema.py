"""The schema: what the tables say is what the migrations make, and the guards hold against plain SQL."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from common.ledger.engine import transaction
from common.ledger.migrations import upgrade
from common.ledger.tables import metadata
from unit.common.ledger.builders import a_backfill, some_segments


def test_the_migrations_make_the_tables_that_the_code_knows(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)

    assert differences == []


def test_migrating_twice_changes_nothing(engine: Engine, database: str) -> None:
    with transaction(engine) as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()

    upgrade(database)

    with transaction(engine) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ingests SET status = 'processing', finished_at = NULL WHERE status = 'succeeded'",
        "UPDATE ingests SET status = 'failed' WHERE status = 'succeeded'",
        "UPDATE ingests SET created_at = now() - interval '1 day'",
        "UPDATE ingests SET destination_id = 'cold'",
        "DELETE FROM ingests",
        "UPDATE ingest_events SET description = 'nothing happened'",
        "DELETE FROM ingest_events",
        "UPDATE bag_versions SET created_date = now(), revision = revision + 1",
        "UPDATE bag_versions SET ingest_id = gen_random_uuid(), revision = revision + 1",
        "UPDATE bag_versions SET files_sha256 = 'other', revision = revision + 1",
        "UPDATE bag_versions SET pins = '{}', revision = revision + 1",
        "UPDATE bag_versions SET revision = revision",
        "DELETE FROM bag_versions",
        "DELETE FROM bag_locations",
        "UPDATE bag_locations SET location_id = 'azure'",
        "UPDATE bag_locations SET evidence_class = 'E0'",
        "UPDATE replicas SET fence = fence - 1",
        "UPDATE segments SET state = 'copying' WHERE state = 'verified'",
        "UPDATE segments SET state = 'unheard of'",
        "INSERT INTO ingests (id, ingest_type, space, external_identifier, version, bag_version_id, source_id,"
        " destination_id, status) SELECT gen_random_uuid(), ingest_type, space, external_identifier, version,"
        " bag_version_id, source_id, destination_id, 'accepted' FROM ingests WHERE status = 'processing'",
    ],
)
def test_the_database_refuses(engine: Engine, statement: str) -> None:
    running, finished = a_backfill(engine, status="processing"), a_backfill(engine, status="processing")
    some_segments(engine, running, states=["verified", "copying"])
    with transaction(engine) as connection:
        connection.execute(text("INSERT INTO ingest_events (ingest_id, description) SELECT id, 'x' FROM ingests"))
        connection.execute(text("UPDATE replicas SET fence = 5"))
        connection.execute(
            text("UPDATE ingests SET status = 'succeeded', finished_at = now() WHERE id = :id"),
            {"id": finished.ingest_id},
        )

    with pytest.raises(DBAPIError), transaction(engine) as connection:
        connection.execute(text(statement))


def test_evidence_may_become_stronger(engine: Engine) -> None:
    a_backfill(engine)

    with transaction(engine) as connection:
        connection.execute(text("UPDATE bag_locations SET evidence_class = 'E3'"))
