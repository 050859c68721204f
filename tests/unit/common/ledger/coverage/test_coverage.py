"""The coverage is what a comparison of every bag with every location finds, whatever happened before."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random

import pytest
from sqlalchemy import Engine, select, text

from common.domain.bag import BagVersion
from common.domain.coverage import CopyState, health
from common.ledger.coverage.counting import Matrix, fold, matrix, policy
from common.ledger.coverage.listing import Asked, Line, lines
from common.ledger.engine import open_engine, snapshot, transaction
from common.ledger.tables import bag_versions
from unit.common.ledger.coverage.builders import Archive, add_bag, add_location, by_hand, hold


def the_matrix(engine: Engine) -> Matrix:
    with snapshot(engine) as connection:
        return matrix(connection)


def everything(engine: Engine, location: str, *, states: frozenset[CopyState], limit: int = 7) -> list[Line]:
    """Page by page."""
    asked, found, after = Asked(location, states=states), [], None
    while True:
        with transaction(engine) as connection:
            page = lines(connection, asked=asked, policy=policy(connection), after=after, limit=limit)
        found += page
        if len(page) < limit:
            return found
        after = page[-1].bag


def assert_it_is_so(engine: Engine) -> None:
    expected, found = by_hand(engine), the_matrix(engine)
    sums = Counter(
        {
            (place.space, place.location, state.value): amount.bags
            for place in found.places
            for state, amount in place.states.items()
        }
    )
    assert sums == +expected.sums
    assert Counter(found.at_risk) == expected.at_risk
    of_space = {space: [place for place in found.places if place.space == space] for space in found.bags}
    told = {space: health(places, at_risk=found.at_risk[space]) for space, places in of_space.items()}
    assert told == expected.health
    for location in {place.location for place in found.places}:
        here = {
            (space, identifier): state for (space, identifier, at), state in expected.states.items() if at == location
        }
        listed = everything(engine, location, states=frozenset(CopyState))
        assert {(line.bag.space.value, line.bag.external_identifier.value): line.state.value for line in listed} == here
        assert [line.bag for line in listed] == sorted(
            (line.bag for line in listed), key=lambda bag: (bag.space.value, bag.external_identifier.value)
        )
        for state in CopyState:
            alone = everything(engine, location, states=frozenset([state]), limit=1000)
            assert len(alone) == sum(other == state.value for other in here.values())


@pytest.mark.parametrize("seed", range(2))
def test_it_is_what_a_comparison_by_hand_finds(engine: Engine, seed: int) -> None:
    archive = Archive(engine, Random(seed))
    archive.begin()
    for step in range(90):
        archive.something_happens()
        if step % 7 == 0:
            with transaction(engine) as connection:
                fold(connection)
        if step % 30 == 29:
            assert_it_is_so(engine)


def test_copies_of_one_bag_that_are_registered_at_once_are_counted_once_each(engine: Engine, database: str) -> None:
    places = [f"place-{number}" for number in range(8)]
    with transaction(engine) as connection:
        for name in ("cold", *places):
            add_location(connection, name)
        bag = add_bag(connection, "digitised", 1)
        hold(connection, bag, "cold", "E1")
    gate = threading.Barrier(len(places))

    def register(place: str) -> None:
        own = open_engine(database, name=place)
        gate.wait()
        with transaction(own) as connection:
            hold(connection, bag, place, "E3")
        own.dispose()

    threads = [threading.Thread(target=register, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert the_matrix(engine).at_risk == {"digitised": 0}
    assert_it_is_so(engine)


def test_a_bag_and_a_location_that_come_at_once_know_each_other(engine: Engine, database: str) -> None:
    with transaction(engine) as connection:
        add_location(connection, "cold")
    own = open_engine(database, name="other")
    with transaction(engine) as connection:
        add_bag(connection, "digitised", 1)
        done = threading.Event()

        def announce() -> None:
            with transaction(own) as other:
                add_location(other, "azure")
            done.set()

        threading.Thread(target=announce).start()
        assert not done.wait(0.3)
    assert done.wait(10)
    own.dispose()

    assert [line.state for line in everything(engine, "azure", states=frozenset(CopyState))] == [CopyState.MISSING]
    assert_it_is_so(engine)


def test_a_page_of_what_is_lacking_reads_no_bag_that_is_there(engine: Engine) -> None:
    with transaction(engine) as connection:
        for name in ("cold", "azure"):
            add_location(connection, name)
        for number in range(300):
            bag = add_bag(connection, "digitised", number)
            hold(connection, bag, "cold", "E1")
            if number != 250:
                hold(connection, bag, "azure", "E3")
    with transaction(engine) as connection:
        connection.execute(text("ANALYZE"))
        connection.execute(select(bag_versions.c.id).limit(1))
        first = lines(connection, asked=Asked("azure"), policy=policy(connection), after=None, limit=100)
        gaps = connection.execute(text("SELECT count(*) FROM gaps")).scalar_one()

    assert ([line.bag for line in first], gaps) == ([BagVersion.of("digitised", "b250", 1)], 1)
