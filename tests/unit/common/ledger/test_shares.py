"""Who uses a location now."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from common.ledger import shares
from common.ledger.engine import transaction
from common.ledger.upkeep_tables import location_shares
from common.sharing import Users
from unit.common.ledger.builders import age, locations_exist


def told(engine: Engine, holder: str, *, at: str = "azure", moving: bool = False) -> Users:
    with transaction(engine) as connection:
        locations_exist(connection)
        return shares.renew(connection, location_id=at, holder=holder, moving=moving)


def test_each_process_learns_how_many_use_the_location_and_how_many_of_them_move_bytes(engine: Engine) -> None:
    answers = [
        told(engine, "a:1", moving=True),
        told(engine, "b:1"),
        told(engine, "a:1"),
        told(engine, "b:1", moving=True),
        told(engine, "c:1", at="cold"),
    ]

    assert answers == [Users(1, 1), Users(2, 1), Users(2, 1), Users(2, 2), Users(1, 0)]


def test_a_process_that_falls_silent_stops_counting_and_is_forgotten_later(engine: Engine) -> None:
    told(engine, "a:1", moving=True)
    age(engine, location_shares, used_at="- interval '1 minute'", moved_at="- interval '1 minute'")
    silent = told(engine, "b:1", moving=True)
    age(engine, location_shares, used_at="- interval '2 hours'")
    told(engine, "b:1")

    with transaction(engine) as connection:
        rows = connection.execute(select(func.count()).select_from(location_shares)).scalar_one()
    assert (silent, rows) == (Users(1, 1), 1)


def test_a_process_that_moves_nothing_any_more_keeps_its_requests_and_loses_its_bytes(engine: Engine) -> None:
    told(engine, "a:1", moving=True)
    age(engine, location_shares, moved_at="- interval '1 minute'")
    told(engine, "a:1")

    assert told(engine, "b:1", moving=True) == Users(asking=2, moving=1)
