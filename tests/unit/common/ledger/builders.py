"""Rows for ledger tests: one bag version at "cold", wanted at "azure"."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, insert, select, text

from common.domain.fixity import Algorithm
from common.domain.segment import PlannedFile, SegmentPlan
from common.ledger.engine import transaction
from common.ledger.tables import (
    bag_locations,
    bag_versions,
    ingest_events,
    ingests,
    locations,
    outbox,
    replicas,
    segments,
)

_numbers = count(1)
PINS = {"bagit.txt": "a" * 64}


@dataclass(frozen=True)
class Backfill:
    """What was built."""

    ingest_id: UUID
    replica_id: int
    bag_version_id: int


def locations_exist(connection: Connection) -> None:
    for location_id, provider in (("cold", "amazon-s3"), ("azure", "azure-blob-storage")):
        if not connection.execute(select(locations).where(locations.c.id == location_id)).first():
            connection.execute(
                insert(locations).values(
                    id=location_id, provider=provider, bucket=location_id, title=location_id.title()
                )
            )


def a_backfill(engine: Engine, *, state: str = "planning", status: str = "accepted") -> Backfill:
    """An ingest of type backfill with its replica row, as the API makes them."""
    number = next(_numbers)
    with transaction(engine) as connection:
        locations_exist(connection)
        bag_id = connection.execute(
            insert(bag_versions)
            .values(
                space="digitised",
                external_identifier=f"b{number}",
                version=1,
                created_date=text("now()"),
                info={},
                checksum_algorithm="sha256",
                file_count=1,
                bytes=1,
                pins=PINS,
                files_key="k",
                files_sha256="s",
            )
            .returning(bag_versions.c.id)
        ).scalar_one()
        connection.execute(
            insert(bag_locations).values(bag_version_id=bag_id, location_id="cold", evidence_class="E1", role="primary")
        )
        ingest_id = uuid4()
        connection.execute(
            insert(ingests).values(
                id=ingest_id,
                ingest_type="backfill",
                space="digitised",
                external_identifier=f"b{number}",
                version=1,
                bag_version_id=bag_id,
                source_id="cold",
                destination_id="azure",
                status=status,
            )
        )
        replica_id = connection.execute(
            insert(replicas)
            .values(
                bag_version_id=bag_id,
                location_id="azure",
                source_id="cold",
                ingest_id=ingest_id,
                lane="backfill",
                state=state,
                file_count=1,
            )
            .returning(replicas.c.id)
        ).scalar_one()
    return Backfill(ingest_id, replica_id, bag_id)


def a_file(path: str = "data/a.tif", size: int = 3) -> PlannedFile:
    return PlannedFile(path, f"v1/{path}", size, {Algorithm.SHA256: "0" * 64}, "etag")


def segment_plans(number: int) -> list[SegmentPlan]:
    return [SegmentPlan(n, [a_file(f"data/{n}.tif")]) for n in range(1, number + 1)]


def some_segments(engine: Engine, backfill: Backfill, *, states: list[str], hinted: bool = True) -> list[int]:
    """Segments 1, 2, … of the backfill in the given states."""
    with transaction(engine) as connection:
        return [
            connection.execute(
                insert(segments)
                .values(
                    replica_id=backfill.replica_id,
                    ingest_id=backfill.ingest_id,
                    number=number,
                    state=state,
                    files=[a_file(f"data/{number}.tif").to_json()],
                    file_count=1,
                    bytes=3,
                    hinted=hinted,
                )
                .returning(segments.c.id)
            ).scalar_one()
            for number, state in enumerate(states, start=1)
        ]


def history(engine: Engine, ingest_id: UUID) -> list[str]:
    with transaction(engine) as connection:
        return list(
            connection.execute(
                select(ingest_events.c.description)
                .where(ingest_events.c.ingest_id == ingest_id)
                .order_by(ingest_events.c.id)
            ).scalars()
        )


def state_of(engine: Engine, table: object, row_id: object) -> str:
    with transaction(engine) as connection:
        column = table.c.status if table is ingests else table.c.state  # type: ignore[attr-defined]
        return str(connection.execute(select(column).where(table.c.id == row_id)).scalar_one())  # type: ignore[attr-defined]


def hints(engine: Engine) -> list[tuple[str, str]]:
    """What waits in the outbox: queue and body."""
    with transaction(engine) as connection:
        return [(r.queue, r.body) for r in connection.execute(select(outbox).order_by(outbox.c.id))]


def age(engine: Engine, table: object, **columns: str) -> None:
    """Move timestamps of all rows of a table, such as due_at="- interval '1 hour'"."""
    changes = ", ".join(f"{name} = {name} {shift}" for name, shift in columns.items())
    with transaction(engine) as connection:
        connection.execute(text(f"UPDATE {table.name} SET {changes}"))  # type: ignore[attr-defined]
