"""Location ids mean one place, for ever."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from common.domain.bag import BagVersion
from common.domain.location import Location, LocationId, Provider
from common.errors import ConfigurationError
from common.ledger.engine import transaction
from common.ledger.locations import announce, every_location
from unit.bag_register.builders import Register, a_bag

PLACE = Location(LocationId("spare"), Provider.AMAZON_S3, "bucket", "p/", "Spare")


def announced(engine: Engine, *locations: Location) -> list[Location]:
    with transaction(engine) as connection:
        for location in locations:
            announce(connection, location)
        return every_location(connection)


def test_what_was_announced_is_there_once(engine: Engine) -> None:
    assert announced(engine, PLACE, PLACE) == [PLACE]


def test_a_title_may_change_and_is_not_forgotten(engine: Engine) -> None:
    renamed = replace(PLACE, title="Vault")
    assert announced(engine, PLACE, renamed, replace(PLACE, title="")) == [renamed]


def test_a_place_that_nothing_depends_on_may_be_corrected(engine: Engine) -> None:
    corrected = replace(PLACE, bucket="other")
    assert announced(engine, PLACE, corrected) == [corrected]


def test_a_place_with_bags_stays(register: Register) -> None:
    register.put(BagVersion.of("digitised", "b1", 1), a_bag({"a": b"a"}))
    register.adopt()
    location = register.stores.configs[LocationId("cold")].location
    with pytest.raises(ConfigurationError, match="Restore the old values, or give the new place an id of its own"):
        announced(register.engine, replace(location, bucket="elsewhere"))
    assert location in announced(register.engine)


def test_a_place_has_one_id(engine: Engine) -> None:
    announced(engine, PLACE)
    with pytest.raises(ConfigurationError, match="location copy is the same place as spare"):
        announced(engine, replace(PLACE, id=LocationId("copy")))
    with pytest.raises(ConfigurationError, match="location other is the same place as spare"):
        announced(engine, replace(PLACE, id=LocationId("other"), bucket="x"), replace(PLACE, id=LocationId("other")))
