"""Uploads that nobody will finish, at real stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from backfill_replicator.sweeping import Sweep
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_store
from common.assembly import ConfiguredStores
from common.domain.location import LocationId, Provider
from common.errors import StoreUnavailable
from common.ledger import uploads
from common.ledger.engine import open_engine, transaction
from common.ledger.tables import bag_versions, locations, segments
from common.ledger.uploads import Owner
from common.ports import ObjectStore, Upload
from servers.handles import fresh_name
from unit.common.ledger.builders import Backfill, a_backfill, some_segments

WEEK = timedelta(days=7)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_engine(database, name="test")
    yield engine
    engine.dispose()


@dataclass
class Place:
    """The destination "azure" of the ledger's builders, wherever it really is."""

    store: ObjectStore
    config: LocationConfig

    dates_all_uploads_alike: bool = False


@pytest.fixture(params=["memory", "s3", "seaweedfs", "azure"])
def place(request: pytest.FixtureRequest, engine: Engine) -> Place:
    config = LocationConfig(id="azure", prefix="copies/", **_settings(request))
    return Place(open_store(config), config, dates_all_uploads_alike=request.param == "s3")


def _settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "memory":
        return {"provider": Provider.MEMORY, "bucket": fresh_name("b")}
    if request.param == "azure":
        azurite = request.getfixturevalue("azurite")
        return {
            "provider": Provider.AZURE_BLOB,
            "bucket": azurite.container(),
            "endpoint": azurite.endpoint,
            "account_name": azurite.account_name,
            "account_key": azurite.account_key,
        }
    server = request.getfixturevalue({"s3": "s3_server", "seaweedfs": "seaweedfs"}[request.param])
    return {
        "provider": Provider.AMAZON_S3,
        "bucket": server.bucket(),
        "endpoint": server.endpoint,
        "access_key_id": server.access_key_id,
        "secret_access_key": server.secret_access_key,
        "region": server.region,
    }


def begun(place: Place, key: str) -> Upload:
    upload = place.store.begin_upload(key=key)
    upload.put_part(1, b"x")
    return upload


def noted(engine: Engine, place: Place, state: str, *, identifier: str) -> tuple[Backfill, Upload]:
    """A backfill with one segment in this state, which began an upload."""
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=[state])
    with transaction(engine) as connection:
        connection.execute(update(locations).where(locations.c.id == "azure").values(prefix="copies/"))
        connection.exec_driver_sql("ALTER TABLE bag_versions DISABLE TRIGGER USER")
        connection.execute(
            update(bag_versions)
            .where(bag_versions.c.id == backfill.bag_version_id)
            .values(external_identifier=identifier)
        )
        connection.exec_driver_sql("ALTER TABLE bag_versions ENABLE TRIGGER USER")
    key = f"copies/digitised/{identifier}/v1/data/a.tif"
    upload = begun(place, key)
    with transaction(engine) as connection:
        connection.execute(
            update(segments).where(segments.c.id == segment).values(progress={"uploads": {key: upload.id}})
        )
    return backfill, upload


def sweep(engine: Engine, place: Place, *, later: timedelta = timedelta(days=8)) -> None:
    """A look by a process whose clock is so much later; the next one is due at once."""
    stores = ConfiguredStores({place.config.id: place.config})
    stores._open[LocationId("azure")] = place.store
    look = Sweep(
        engine=engine,
        stores=stores,
        every=timedelta(microseconds=1),
        abort_after=WEEK,
        now=lambda: datetime.now(UTC) + later,
    )
    look()


def report(engine: Engine) -> dict[str, tuple[Owner, bool]]:
    with transaction(engine) as connection:
        found = uploads.unfinished(connection, location_id="azure", limit=100)
    return {item.key.split("/")[2]: (item.owner, item.aborted_at is not None) for item in found}


def pending(place: Place) -> list[str]:
    return sorted(upload.key.split("/")[2] for upload in place.store.pending_uploads(prefix="copies/"))


def test_what_a_segment_left_behind_is_aborted_and_everything_else_is_listed(engine: Engine, place: Place) -> None:
    for state in ("cancelled", "failed", "verified", "copying"):
        noted(engine, place, state, identifier=state)
    begun(place, "copies/digitised/stranger/v1/data/a.tif")
    begun(place, "elsewhere/digitised/cancelled/v1/data/a.tif")

    sweep(engine, place)

    # Azure takes no word for it: it forgets blocks by itself, a week after the last one came.
    gone = place.config.provider is not Provider.AZURE_BLOB
    left = ["copying", "stranger"] if gone else ["cancelled", "copying", "failed", "stranger", "verified"]
    assert pending(place) == left
    assert report(engine) == {
        "cancelled": (Owner.ABANDONED, gone),
        "failed": (Owner.ABANDONED, gone),
        "verified": (Owner.ABANDONED, gone),
        "copying": (Owner.LIVE, False),
        "stranger": (Owner.UNKNOWN, False),
    }


def test_an_upload_of_less_than_a_week_is_only_listed(engine: Engine, place: Place) -> None:
    if place.dates_all_uploads_alike:
        pytest.skip("this server says that every upload began in 2010")
    noted(engine, place, "failed", identifier="young")

    sweep(engine, place, later=timedelta(days=5))

    assert (pending(place), report(engine)) == (["young"], {"young": (Owner.ABANDONED, False)})


def test_what_is_gone_leaves_the_report_and_what_we_aborted_stays_in_it(engine: Engine, place: Place) -> None:
    if place.config.provider is Provider.AZURE_BLOB:
        pytest.skip("Azure aborts nothing")
    noted(engine, place, "failed", identifier="ours")
    stranger = begun(place, "copies/digitised/stranger/v1/data/a.tif")
    sweep(engine, place)

    stranger.abort()
    sweep(engine, place)

    assert report(engine) == {"ours": (Owner.ABANDONED, True)}


@pytest.mark.parametrize("place", ["memory"], indirect=True)
@pytest.mark.parametrize("identifier", ["a/v1/b", "v3/v2", "b1"])
def test_bags_are_found_whatever_their_identifier_looks_like(engine: Engine, place: Place, identifier: str) -> None:
    _, upload = noted(engine, place, "failed", identifier=identifier)

    sweep(engine, place)

    assert upload.parts() == []


@pytest.mark.parametrize("place", ["memory"], indirect=True)
def test_a_deployment_looks_once_in_a_period_and_a_store_that_fails_keeps_nobody_from_the_next(
    engine: Engine, place: Place
) -> None:
    noted(engine, place, "failed", identifier="ours")
    asked: list[LocationId] = []

    def stores(location: LocationId) -> ObjectStore:
        asked.append(location)
        raise StoreUnavailable("503")

    for _ in range(3):
        Sweep(engine=engine, stores=stores, every=timedelta(days=1), abort_after=WEEK)()  # type: ignore[arg-type]

    assert asked == [LocationId("azure")]
