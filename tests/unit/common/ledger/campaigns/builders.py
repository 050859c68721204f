"""Bag versions and campaigns over them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, func, insert, select, text, update

from common.domain.campaign import Limits, Order
from common.ledger.campaigns import controlling
from common.ledger.campaigns.advancing import Looked, Pipeline, advance
from common.ledger.campaigns.controlling import NewCampaign
from common.ledger.campaigns.records import CampaignRecord, find_campaign
from common.ledger.campaigns.selecting import Selection
from common.ledger.campaigns.tables import campaign_items
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.tables import NOW, bag_locations, bag_versions, ingests, outbox, replicas
from unit.common.ledger.builders import locations_exist

FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)


def some_bags(engine: Engine, number: int, *, space: str = "digitised", size: int = 10, **facts: Any) -> list[int]:
    """Bag versions b1, b2, … at "cold", each a day younger than the one before."""
    with transaction(engine) as connection:
        locations_exist(connection)
        first = connection.execute(select(func.count()).select_from(bag_versions)).scalar_one() + 1
        rows = [
            {
                "space": space,
                "external_identifier": f"b{first + at}",
                "version": 1,
                "created_date": FIRST_DAY + timedelta(days=first + at),
                "info": {},
                "checksum_algorithm": "SHA-256",
                "file_count": 2,
                "bytes": size,
                "pins": {"bagit.txt": "a" * 64},
                "files_key": "k",
                "files_sha256": "s",
            }
            | facts
            for at in range(number)
        ]
        ids = list(connection.execute(insert(bag_versions).returning(bag_versions.c.id), rows).scalars())
        homes = [
            {"bag_version_id": bag_id, "location_id": "cold", "evidence_class": "E1", "role": "primary"}
            for bag_id in ids
        ]
        connection.execute(insert(bag_locations), homes)
    return ids


def a_campaign(engine: Engine, **facts: Any) -> UUID:
    campaign_id = uuid4()
    new = NewCampaign(
        id=campaign_id,
        name=facts.get("name", ""),
        destination_id="azure",
        selection=facts.get("selection", Selection()),
        listed=facts.get("listed", ()),
        order=facts.get("order", Order.OLDEST),
        options=facts.get("options", {}),
        priority=facts.get("priority", 0),
        limits=facts.get("limits", Limits()),
        expected_count=facts.get("expected_count"),
        actor="ada",
    )
    with transaction(engine) as connection:
        controlling.begin(connection, new)
    return campaign_id


def look(engine: Engine, *, pipeline: Pipeline = Pipeline()) -> Looked:
    with transaction(engine) as connection:
        return advance(connection, pipeline=pipeline, patience=Patience())


def prepared(engine: Engine, *, pipeline: Pipeline = Pipeline()) -> None:
    """Look until nothing is left but waiting."""
    while True:
        looked = look(engine, pipeline=pipeline)
        if not looked.busy and not looked.let_in:
            return


def the(engine: Engine, campaign_id: UUID) -> CampaignRecord:
    with transaction(engine) as connection:
        campaign = find_campaign(connection, campaign_id)
    assert campaign is not None
    return campaign


def let_in(engine: Engine) -> list[str]:
    """The identifiers of the bags that any worker may claim, in the order in which they were let in."""
    with transaction(engine) as connection:
        return list(
            connection.execute(
                select(bag_versions.c.external_identifier)
                .join(replicas, replicas.c.bag_version_id == bag_versions.c.id)
                .join(campaign_items, campaign_items.c.ingest_id == replicas.c.ingest_id)
                .where(replicas.c.state == "planning", replicas.c.not_before <= NOW)
                .order_by(campaign_items.c.released_at, campaign_items.c.sort_key, bag_versions.c.id)
            ).scalars()
        )


def end(engine: Engine, identifier: str, status: str = "succeeded") -> None:
    """As the last worker leaves an ingest."""
    with transaction(engine) as connection:
        which = (ingests.c.external_identifier == identifier) & ingests.c.status.in_(["accepted", "processing"])
        ingest = connection.execute(select(ingests).where(which)).one()
        if status == "succeeded":
            connection.execute(
                insert(bag_locations).values(
                    bag_version_id=ingest.bag_version_id, location_id="azure", evidence_class="E3", role="replica"
                )
            )
        connection.execute(
            update(replicas)
            .where(replicas.c.ingest_id == ingest.id)
            .values(state="registered" if status == "succeeded" else "failed")
        )
        code = None if status == "succeeded" else "source_vanished"
        connection.execute(
            update(ingests)
            .where(ingests.c.id == ingest.id)
            .values(status=status, finished_at=text("now()"), error_code=code)
        )


def hints(engine: Engine) -> int:
    with transaction(engine) as connection:
        return connection.execute(select(func.count()).select_from(outbox)).scalar_one()
