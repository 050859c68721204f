"""Where bags can lie: the public facts of every location that some service is configured with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.layout import Layout
from common.domain.location import Location, LocationId, Provider
from common.errors import ConfigurationError
from common.ledger.tables import bag_locations, imports, ingests, locations, replicas


def announce(connection: Connection, location: Location) -> None:
    """Write down a configured location. Twice: nothing happens.

    Raises ConfigurationError where the id means another place already and bags or work depend on it, or where the
    same place has another id: a location's id is what every bag's record names.
    """
    connection.execute(insert(locations).values(**_facts(location)).on_conflict_do_nothing())
    known = connection.execute(
        select(locations).where(locations.c.id == location.id.value).with_for_update()
    ).one_or_none()
    if known is None:
        raise ConfigurationError(_named_twice(connection, location))
    if _place(known) != (location.provider.value, location.bucket, location.prefix, location.layout.pattern):
        _move(connection, location, _place(known))
    elif location.title and location.title != known.title:
        connection.execute(update(locations).where(locations.c.id == known.id).values(title=location.title))


def every_location(connection: Connection) -> list[Location]:
    """All of them, by id."""
    rows = connection.execute(select(locations).order_by(locations.c.id.collate("C")))
    return [location_of(row) for row in rows]


def find_location(connection: Connection, location_id: str) -> Location | None:
    row = connection.execute(select(locations).where(locations.c.id == location_id)).one_or_none()
    return None if row is None else location_of(row)


def location_of(row: Any) -> Location:
    """A row of the locations table as a value."""
    return Location(LocationId(row.id), Provider(row.provider), row.bucket, row.prefix, row.title, Layout(row.layout))


def _facts(location: Location) -> dict[str, str]:
    return {
        "id": location.id.value,
        "provider": location.provider.value,
        "bucket": location.bucket,
        "prefix": location.prefix,
        "title": location.title,
        "layout": location.layout.pattern,
    }


def _place(row: Any) -> tuple[str, str, str, str]:
    return row.provider, row.bucket, row.prefix, row.layout


def _move(connection: Connection, location: Location, before: tuple[str, str, str, str]) -> None:
    """A location that nothing depends on may still be corrected."""
    if connection.execute(select(_in_use(location.id.value))).scalar_one():
        provider, bucket, prefix, layout = before
        raise ConfigurationError(
            f"location {location.id} is provider {provider}, bucket {bucket!r}, prefix {prefix!r}, layout {layout} in "
            "the ledger, and bags or ingests depend on it; the configuration says "
            f"provider {location.provider}, bucket {location.bucket!r}, prefix {location.prefix!r}, "
            f"layout {location.layout.pattern}. Restore the old values, or give the new place an id of its own."
        )
    place = {name: value for name, value in _facts(location).items() if name not in ("id", "title")}
    if other := _same_place(connection, location):
        raise ConfigurationError(_twice(location, other))
    connection.execute(update(locations).where(locations.c.id == location.id.value).values(**place))


def _in_use(location_id: str) -> ColumnElement[bool]:
    columns = (
        bag_locations.c.location_id,
        replicas.c.location_id,
        replicas.c.source_id,
        ingests.c.source_id,
        ingests.c.destination_id,
        imports.c.location_id,
    )
    return or_(*(exists().where(column == location_id) for column in columns))


def _same_place(connection: Connection, location: Location) -> str | None:
    return connection.execute(
        select(locations.c.id).where(
            locations.c.provider == location.provider.value,
            locations.c.bucket == location.bucket,
            locations.c.prefix == location.prefix,
            locations.c.id != location.id.value,
        )
    ).scalar_one_or_none()


def _named_twice(connection: Connection, location: Location) -> str:
    return _twice(location, _same_place(connection, location) or "another location")


def _twice(location: Location, other: str) -> str:
    return (
        f"location {location.id} is the same place as {other} (provider {location.provider}, bucket "
        f"{location.bucket!r}, prefix {location.prefix!r}). Use the id {other} in the configuration."
    )
