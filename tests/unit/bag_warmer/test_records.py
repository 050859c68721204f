"""What the warmer reads in the ledger."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, event, insert, select, update

from bag_warmer.presence import Presence
from bag_warmer.records import LedgerRecords
from common.domain.bag import BagVersion, Version
from common.domain.location import Location, LocationId, Provider
from common.ledger.engine import transaction
from common.ledger.tables import bag_locations, bag_versions, replicas
from unit.common.ledger.builders import Backfill, a_backfill

AZURE = LocationId("azure")


def bag_of(engine: Engine, backfill: Backfill) -> BagVersion:
    with transaction(engine) as connection:
        row = connection.execute(select(bag_versions).where(bag_versions.c.id == backfill.bag_version_id)).one()
    return BagVersion.of(row.space, row.external_identifier, 2)


def test_locations_are_what_the_ledger_was_told(engine: Engine) -> None:
    a_backfill(engine)

    assert sorted(LedgerRecords(engine).locations(), key=lambda found: found.id) == [
        Location(AZURE, Provider.AZURE_BLOB, "azure", title="Azure"),
        Location(LocationId("cold"), Provider.AMAZON_S3, "cold", title="Cold"),
    ]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("planning", Presence.UNDER_WAY),
        ("transferring", Presence.UNDER_WAY),
        ("aggregating", Presence.UNDER_WAY),
        ("registering", Presence.UNDER_WAY),
        ("failed", Presence.ABSENT),
    ],
)
def test_a_version_is_under_way_until_its_replica_ends(engine: Engine, state: str, expected: Presence) -> None:
    backfill = a_backfill(engine, state=state)

    assert LedgerRecords(engine).presence(bag_of(engine, backfill), Version(1), AZURE) is expected


def test_a_version_is_registered_where_its_record_says_so(engine: Engine) -> None:
    backfill = a_backfill(engine, state="failed")
    with transaction(engine) as connection:
        connection.execute(
            insert(bag_locations).values(
                bag_version_id=backfill.bag_version_id, location_id="azure", evidence_class="E3", role="replica"
            )
        )
    bag, records = bag_of(engine, backfill), LedgerRecords(engine)

    assert records.presence(bag, Version(1), AZURE) is Presence.REGISTERED
    assert records.presence(bag, Version(3), AZURE) is Presence.ABSENT
    assert records.presence(BagVersion.of("other", "b", 2), Version(1), AZURE) is Presence.ABSENT


def test_a_version_that_is_registered_while_one_looks_is_never_absent(engine: Engine) -> None:
    backfill = a_backfill(engine, state="registering")
    bag = bag_of(engine, backfill)

    @event.listens_for(engine, "after_cursor_execute", once=True)
    def register_it_after_the_first_read(*_: object) -> None:
        with transaction(engine) as connection:
            connection.execute(
                insert(bag_locations).values(
                    bag_version_id=backfill.bag_version_id, location_id="azure", evidence_class="E3", role="replica"
                )
            )
            connection.execute(update(replicas).values(state="registered"))

    assert LedgerRecords(engine).presence(bag, Version(1), AZURE) is Presence.REGISTERED
