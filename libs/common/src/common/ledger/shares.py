"""How many processes use a location now, so that they can divide its limits among themselves."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from common.ledger.claims import interval
from common.ledger.columns import NOW
from common.ledger.upkeep_tables import location_shares
from common.sharing import Users

ALIVE = timedelta(seconds=45)
"""A process that has not told of itself for this long does not count: it idles, or is gone."""
_FORGOTTEN = timedelta(hours=1)


def renew(connection: Connection, *, location_id: str, holder: str, moving: bool) -> Users:
    """Tell that `holder` uses the location, and whether it reads or writes bytes; returns how many do, it included."""
    told = {"used_at": NOW, **({"moved_at": NOW} if moving else {})}
    connection.execute(
        insert(location_shares)
        .values(location_id=location_id, holder=holder, **told)
        .on_conflict_do_update(index_elements=["location_id", "holder"], set_=told)
    )
    here = location_shares.c.location_id == location_id
    row = connection.execute(
        select(
            func.count().filter(_within(location_shares.c.used_at, ALIVE)).label("asking"),
            func.count().filter(_within(location_shares.c.moved_at, ALIVE)).label("moving"),
        ).where(here)
    ).one()
    connection.execute(delete(location_shares).where(here, ~_within(location_shares.c.used_at, _FORGOTTEN)))
    return Users(asking=row.asking, moving=row.moving)


def _within(column: ColumnElement[object], duration: timedelta) -> ColumnElement[bool]:
    since: ColumnElement[bool] = column > func.clock_timestamp() - interval(duration)
    return since
