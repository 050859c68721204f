"""A register with a bag in it, and the API over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, select, update

from backfill_client.trust import trusted
from common.domain.bag import BagVersion
from common.domain.fixity import Algorithm
from common.domain.location import Location, LocationId, Provider
from common.domain.replica import EvidenceClass
from common.ledger.adopting import NewBag, enter
from common.ledger.engine import transaction
from common.ledger.locations import announce
from common.ledger.tables import NOW, bag_locations, bag_versions, ingest_events, ingests, outbox, replicas
from common.thawing.pricing import Pricing
from common.web.auth import Guard, everyone
from common.web.serving import HttpServer
from ingests_api.api import make_app
from ingests_api.callback_addresses import ONLY_PUBLIC, Allowed
from ingests_api.choosing import Offer
from ingests_api.streaming.streams import Rhythm
from ingests_api.surroundings import ReadObject, Surroundings

COLD = Location(LocationId("cold"), Provider.AMAZON_S3, "archive", "", "Amazon Glacier")
AZURE = Location(LocationId("azure"), Provider.AZURE_BLOB, "replicas", "bags/", "Azure")
SPARE = Location(LocationId("spare"), Provider.LOCAL, "/srv/spare")
LOCATIONS = (COLD, AZURE, SPARE)


def an_app(
    engine: Engine,
    *,
    writable: Iterable[Location] = (AZURE, SPARE),
    public_url: str = "",
    read_object: ReadObject | None = None,
    callbacks: Allowed = ONLY_PUBLIC,
    guard: Guard | None = None,
    warm: Iterable[Location] = (),
    frozen: Mapping[Location, str] | None = None,
    listeners: int = 200,
    rhythm: Rhythm | None = None,
    pricing: Pricing | None = None,
) -> FastAPI:
    """The application; nobody is asked who they are unless a guard is given."""
    with transaction(engine) as connection:
        for location in LOCATIONS:
            announce(connection, location)
    offer = Offer(
        locations={location.id: location for location in LOCATIONS},
        writable=frozenset(location.id for location in writable),
        warm=tuple(location.id for location in warm),
        frozen={location.id: storage_class for location, storage_class in (frozen or {}).items()},
        pricing=pricing or Pricing(),
    )
    return make_app(
        Surroundings(
            engine=engine,
            offer=offer,
            new_id=uuid4,
            guard=guard or everyone(),
            wake_relay=lambda: None,
            callbacks=callbacks,
            public_url=public_url,
            read_object=read_object,
            listeners=listeners,
            rhythm=rhythm or Rhythm(),
        )
    )


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """The app behind a real server."""
    with (
        HttpServer(app, host="127.0.0.1", port=0) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30, verify=trusted()) as client,
    ):
        yield client


def a_bag(engine: Engine, bag: BagVersion = BagVersion.of("digitised", "b1", 1), **facts: Any) -> int:
    """A registered bag version whose primary is COLD; its id."""
    new = NewBag(
        bag=bag,
        location_id=COLD.id.value,
        evidence_class=EvidenceClass.SIZED,
        info={"payloadOxum": "10.2"},
        algorithm=Algorithm.SHA256,
        file_count=facts.get("file_count", 5),
        bytes=facts.get("bytes", 100),
        pins={"bagit.txt": "a" * 64},
        depends_on=[],
        files_key="file-lists/x.ndjson.gz",
        files_sha256="b" * 64,
    )
    with transaction(engine) as connection:
        enter(connection, [new])
        return int(
            connection.execute(
                select(bag_versions.c.id).where(
                    bag_versions.c.space == bag.space.value,
                    bag_versions.c.external_identifier == bag.external_identifier.value,
                    bag_versions.c.version == bag.version.number,
                )
            ).scalar_one()
        )


def registered_at(engine: Engine, bag_version_id: int, location: Location) -> None:
    with transaction(engine) as connection:
        connection.execute(
            bag_locations.insert().values(
                bag_version_id=bag_version_id, location_id=location.id.value, evidence_class="E3", role="replica"
            )
        )
        connection.execute(update(bag_versions).values(revision=bag_versions.c.revision + 1))


def wish(identifier: str = "b1", *, space: str = "digitised", to: str | None = "azure", **more: Any) -> dict[str, Any]:
    """A request for a backfill."""
    info = {"type": "BagInfo", "externalIdentifier": identifier} | more.pop("info", {})
    document: dict[str, Any] = {
        "type": "Ingest",
        "ingestType": {"id": "backfill", "type": "IngestType"},
        "space": {"id": space, "type": "Space"},
        "bag": {"type": "Bag", "info": info},
    }
    return document | ({"destination": {"id": to, "type": "Location"}} if to else {}) | more


def fail(engine: Engine, ingest_id: str) -> None:
    """As a worker leaves an ingest that it gave up."""
    with transaction(engine) as connection:
        connection.execute(
            update(replicas)
            .where(replicas.c.ingest_id == UUID(ingest_id))
            .values(
                state="failed",
                error_code="source_vanished",
                last_error="gone",
                fence=7,
                attempts=3,
                progress={"asked": 1},
                pins={"bagit.txt": "c"},
            )
        )
        connection.execute(
            ingest_events.insert().values(
                ingest_id=UUID(ingest_id),
                description="Planning failed - an object is gone",
                detail={"code": "source_vanished", "reason": "gone"},
            )
        )
        connection.execute(
            update(ingests)
            .where(ingests.c.id == UUID(ingest_id))
            .values(status="failed", error_code="source_vanished", finished_at=NOW)
        )


def rows(engine: Engine, table: Any) -> list[dict[str, Any]]:
    with transaction(engine) as connection:
        return [dict(row._mapping) for row in connection.execute(select(table).order_by(*table.primary_key))]


def hints(engine: Engine) -> list[tuple[str, str]]:
    return [(row["queue"], row["body"]) for row in rows(engine, outbox)]
