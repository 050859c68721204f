"""Campaigns over a real ledger: what is selected, created, let in, counted and stopped."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, func, insert, select

from common.domain.campaign import CampaignState, Limits, Order
from common.ledger.campaigns import controlling
from common.ledger.campaigns.advancing import Pipeline
from common.ledger.campaigns.controlling import WrongState
from common.ledger.campaigns.events import history
from common.ledger.campaigns.records import Part, failures, pace
from common.ledger.campaigns.selecting import Selection, look_up, preview
from common.ledger.claims import Patience, take
from common.ledger.engine import transaction
from common.ledger.reaper import reap
from common.ledger.tables import bag_locations, ingests, locations, replicas
from common.topology import PLANNING
from unit.common.ledger.campaigns.builders import (
    FIRST_DAY,
    a_campaign,
    end,
    hints,
    let_in,
    look,
    prepared,
    some_bags,
    the,
)


def test_every_bag_version_that_the_destination_lacks_gets_an_ingest(engine: Engine) -> None:
    some_bags(engine, 5)
    campaign = a_campaign(engine)

    prepared(engine)

    found = the(engine, campaign)
    assert (found.state, found.selected) == (CampaignState.RUNNING, Part(5, 10, 50))
    assert let_in(engine) == ["b1", "b2", "b3", "b4", "b5"]
    assert hints(engine) == 5


def test_no_more_are_let_in_than_the_campaign_allows_at_once(engine: Engine) -> None:
    some_bags(engine, 5)
    a_campaign(engine, limits=Limits(bags_in_flight=2))

    prepared(engine)
    assert let_in(engine) == ["b1", "b2"]

    end(engine, "b1")
    prepared(engine)
    assert let_in(engine) == ["b2", "b3"]


def test_an_ingest_that_was_not_let_in_can_be_claimed_by_no_worker_and_is_no_business_of_the_reaper(
    engine: Engine,
) -> None:
    some_bags(engine, 2)
    a_campaign(engine, limits=Limits(bags_in_flight=1))
    prepared(engine)

    with transaction(engine) as connection:
        held = connection.execute(select(replicas.c.id).where(replicas.c.due_at > func.now() + timedelta(days=9))).one()
        claim = take(connection, stage=PLANNING, row_id=held.id, worker="w", patience=Patience())
        due = reap(connection, patience=Patience())

    assert (claim, due) == (None, 0)


def test_bytes_under_way_are_limited_and_one_that_is_too_large_goes_alone(engine: Engine) -> None:
    some_bags(engine, 2, size=40)
    some_bags(engine, 1, size=500)
    some_bags(engine, 1, size=10)
    a_campaign(engine, limits=Limits(bytes_in_flight=100))

    prepared(engine)
    assert let_in(engine) == ["b1", "b2"]

    end(engine, "b1")
    end(engine, "b2")
    prepared(engine)
    assert let_in(engine) == ["b3"]


def test_bytes_a_day_are_limited(engine: Engine) -> None:
    some_bags(engine, 3, size=40)
    a_campaign(engine, limits=Limits(bytes_per_day=80))
    prepared(engine)
    end(engine, "b1")
    end(engine, "b2")

    prepared(engine)

    assert let_in(engine) == []


@pytest.mark.parametrize(("order", "first"), [(Order.OLDEST, "b1"), (Order.SMALLEST, "b3"), (Order.REGISTERED, "b1")])
def test_the_order_is_kept(engine: Engine, order: Order, first: str) -> None:
    some_bags(engine, 2, size=40)
    some_bags(engine, 1, size=5)
    a_campaign(engine, order=order, limits=Limits(bags_in_flight=1))

    prepared(engine)

    assert let_in(engine) == [first]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(space="other"), ["b4"]),
        (Selection(most=2), ["b1", "b2"]),
        (Selection(largest=10), ["b1", "b2", "b3"]),
        (Selection(deposited_after=FIRST_DAY + timedelta(days=3)), ["b3", "b4"]),
        (Selection(deposited_before=FIRST_DAY + timedelta(days=3)), ["b1", "b2"]),
    ],
)
def test_a_selection_takes_what_meets_its_conditions_as_the_preview_says(
    engine: Engine, selection: Selection, expected: list[str]
) -> None:
    some_bags(engine, 3)
    some_bags(engine, 1, space="other", size=99)
    with transaction(engine) as connection:
        told = preview(connection, selection=selection, destination_id="azure", order=Order.OLDEST)
    a_campaign(engine, selection=selection)

    prepared(engine)

    assert let_in(engine) == expected
    assert (told.bags, [bag.external_identifier.value for bag in told.examples]) == (len(expected), expected)


def test_listed_bag_versions_are_looked_up_and_unknown_ones_are_named(engine: Engine) -> None:
    first, second = some_bags(engine, 2)

    with transaction(engine) as connection:
        found = look_up(
            connection,
            names=[("digitised", "b2", 1), ("digitised", "b1", None), ("digitised", "b2", 9), ("nowhere", "x", None)],
        )

    assert found.ids == (second, first)
    assert found.unknown == ("digitised/b2/v9", "nowhere/x")


def test_a_campaign_over_a_list_is_about_those_only(engine: Engine) -> None:
    _, second, _ = some_bags(engine, 3)
    campaign = a_campaign(engine, selection=Selection(listed=True), listed=[second])

    prepared(engine)

    assert (the(engine, campaign).selected.bags, let_in(engine)) == (1, ["b2"])


def test_a_selection_that_is_not_what_was_expected_creates_nothing(engine: Engine) -> None:
    some_bags(engine, 3)
    campaign = a_campaign(engine, expected_count=4)

    prepared(engine)

    found = the(engine, campaign)
    assert (found.state, found.reason) == (
        CampaignState.REFUSED,
        "3 bag versions were selected, 4 were expected",
    )
    with transaction(engine) as connection:
        assert connection.execute(select(func.count()).select_from(ingests)).scalar_one() == 0


def test_two_campaigns_for_the_same_bags_share_their_ingests(engine: Engine) -> None:
    some_bags(engine, 2)
    first, second = a_campaign(engine), a_campaign(engine)
    prepared(engine)

    end(engine, "b1")
    end(engine, "b2")
    prepared(engine)

    with transaction(engine) as connection:
        assert connection.execute(select(func.count()).select_from(ingests)).scalar_one() == 2
    assert [the(engine, campaign).succeeded.bags for campaign in (first, second)] == [2, 2]
    assert [the(engine, campaign).state for campaign in (first, second)] == [CampaignState.FINISHED] * 2


def test_what_was_registered_meanwhile_is_told_apart(engine: Engine) -> None:
    some_bags(engine, 2)
    other = a_campaign(engine, selection=Selection(most=1))
    prepared(engine)
    listed = a_campaign(engine)
    look(engine)
    end(engine, "b1")

    prepared(engine)

    found = the(engine, listed)
    assert (found.already_there, found.succeeded.bags, the(engine, other).succeeded.bags) == (1, 0, 1)
    assert let_in(engine) == ["b2"]


def test_a_failed_replica_is_planned_again(engine: Engine) -> None:
    some_bags(engine, 1)
    a_campaign(engine)
    prepared(engine)
    end(engine, "b1", "failed")
    prepared(engine)
    again = a_campaign(engine)

    prepared(engine)

    assert (let_in(engine), the(engine, again).state) == (["b1"], CampaignState.RUNNING)


def test_ends_are_counted_once_and_only_grow(engine: Engine) -> None:
    some_bags(engine, 3, size=7)
    campaign = a_campaign(engine)
    prepared(engine)
    end(engine, "b1")
    end(engine, "b2", "failed")

    for _ in range(3):
        look(engine)

    found = the(engine, campaign)
    assert (found.succeeded, found.failed, found.state) == (Part(1, 2, 7), 1, CampaignState.RUNNING)
    with transaction(engine) as connection:
        measured = pace(connection, found)
        failed = failures(connection, campaign, after=None, limit=10)
    assert (measured.under_way.bags, measured.last_hour) == (1, Part(1, 2, 7))
    assert measured.remaining == timedelta(hours=2), "14 bytes are left at 7 an hour"
    assert [(one.bag.external_identifier.value, one.code) for one in failed] == [("b2", "source_vanished")]


def test_a_pause_lets_nothing_in_and_a_resume_goes_on(engine: Engine) -> None:
    some_bags(engine, 2)
    campaign = a_campaign(engine, limits=Limits(bags_in_flight=1))
    prepared(engine)
    with transaction(engine) as connection:
        controlling.pause(connection, campaign, actor="ada", reason="the bill")
    end(engine, "b1")
    prepared(engine)
    assert let_in(engine) == []

    with transaction(engine) as connection:
        controlling.resume(connection, campaign, actor="bo", reason="")
    prepared(engine)

    assert let_in(engine) == ["b2"]
    with transaction(engine) as connection:
        said = [(event.description, event.actor) for event in history(connection, campaign)]
    assert said == [
        ("Created", "ada"),
        ("Selected 2 bag versions, 20 bytes", ""),
        ("Every ingest is created; letting them in", ""),
        ("Paused: the bill", "ada"),
        ("Resumed", "bo"),
    ]


def test_cancelling_ends_what_has_not_begun_and_lets_the_rest_come_to_its_end(engine: Engine) -> None:
    some_bags(engine, 3)
    campaign = a_campaign(engine, limits=Limits(bags_in_flight=1))
    prepared(engine)

    with transaction(engine) as connection:
        cancelled = controlling.cancel(connection, campaign, actor="ada", reason="wrong space")
    prepared(engine)
    assert (cancelled, the(engine, campaign).state, let_in(engine)) == (2, CampaignState.CANCELLING, ["b1"])

    end(engine, "b1")
    prepared(engine)
    found = the(engine, campaign)
    assert (found.state, found.succeeded.bags, found.failed) == (CampaignState.CANCELLED, 1, 2)
    with transaction(engine) as connection, pytest.raises(WrongState):
        controlling.resume(connection, campaign, actor="ada", reason="")


def test_a_retry_makes_new_ingests_for_the_failed_ones_only(engine: Engine) -> None:
    some_bags(engine, 2)
    campaign = a_campaign(engine)
    prepared(engine)
    end(engine, "b1", "failed")
    end(engine, "b2")
    prepared(engine)
    assert the(engine, campaign).state is CampaignState.FINISHED

    with transaction(engine) as connection:
        again = controlling.retry(connection, campaign, actor="ada", reason="mended")
    prepared(engine)

    found = the(engine, campaign)
    assert (again, let_in(engine), found.state) == (1, ["b1"], CampaignState.RUNNING)
    assert (found.succeeded.bags, found.failed) == (1, 0)


def test_the_failures_of_one_campaign_are_the_selection_of_the_next(engine: Engine) -> None:
    some_bags(engine, 3)
    first = a_campaign(engine)
    prepared(engine)
    for identifier in ("b1", "b3"):
        end(engine, identifier, "failed")
    prepared(engine)

    second = a_campaign(engine, selection=Selection(failed_of=first))
    prepared(engine)

    assert the(engine, second).selected.bags == 2


def test_the_more_urgent_campaign_goes_first_and_equals_share(engine: Engine) -> None:
    ids = some_bags(engine, 9)
    low, urgent, other = (
        a_campaign(engine, selection=Selection(listed=True), listed=ids[at : at + 3], priority=priority)
        for at, priority in ((0, 0), (3, 5), (6, 0))
    )
    everything = Pipeline(bags=5)

    prepared(engine, pipeline=everything)

    assert sorted(let_in(engine)) == ["b1", "b4", "b5", "b6", "b7"]
    with transaction(engine) as connection:
        under = [pace(connection, the(engine, campaign)).under_way.bags for campaign in (low, urgent, other)]
    assert under == [1, 3, 1]


def test_nothing_is_let_in_while_the_pipeline_is_full(engine: Engine) -> None:
    some_bags(engine, 1)
    a_campaign(engine)

    prepared(engine, pipeline=Pipeline(segments=0))

    assert let_in(engine) == []


def test_a_version_waits_for_the_version_that_it_needs(engine: Engine) -> None:
    some_bags(engine, 1, external_identifier="b")
    some_bags(engine, 1, external_identifier="b", version=2, depends_on=[1], created_date=FIRST_DAY)
    some_bags(engine, 1, external_identifier="c")
    campaign = a_campaign(engine)
    prepared(engine)
    assert sorted(let_in(engine)) == ["b", "c"], "the older date does not help: version 2 needs version 1"

    with transaction(engine) as connection:
        held = (
            connection.execute(
                select(ingests.c.version)
                .join(replicas, replicas.c.ingest_id == ingests.c.id)
                .where(replicas.c.not_before > func.now())
            )
            .scalars()
            .all()
        )
    assert held == [2]
    assert the(engine, campaign).selected.bags == 3


def test_many_processes_looking_at_once_do_everything_once(engine: Engine) -> None:
    some_bags(engine, 40)
    campaign = a_campaign(engine, limits=Limits(bags_in_flight=15))
    start = Barrier(4)

    def many() -> None:
        start.wait()
        for _ in range(10):
            look(engine)

    threads = [Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    prepared(engine)

    with transaction(engine) as connection:
        assert connection.execute(select(func.count()).select_from(ingests)).scalar_one() == 40
    assert (len(let_in(engine)), hints(engine)) == (15, 15)
    assert the(engine, campaign).selected.bags == 40


def test_all_campaigns_together_keep_to_the_bytes_that_may_be_under_way(engine: Engine) -> None:
    ids = some_bags(engine, 6, size=40)
    for at in (0, 3):
        a_campaign(engine, selection=Selection(listed=True), listed=ids[at : at + 3])

    prepared(engine, pipeline=Pipeline(bytes=90))

    assert let_in(engine) == ["b1", "b2", "b4"], "the second campaign has nothing under way: its first one may go"


def test_a_warm_copy_that_was_read_back_is_preferred_to_the_primary(engine: Engine) -> None:
    first, second, third = some_bags(engine, 3)
    with transaction(engine) as connection:
        connection.execute(insert(locations).values(id="near", provider="amazon-s3", bucket="near"))
        for bag, proof in ((first, "E3"), (second, "E1")):
            connection.execute(
                insert(bag_locations).values(
                    bag_version_id=bag, location_id="near", evidence_class=proof, role="replica"
                )
            )
    a_campaign(engine)

    prepared(engine, pipeline=Pipeline(warm=("near",)))

    with transaction(engine) as connection:
        rows = connection.execute(select(ingests.c.bag_version_id, ingests.c.source_id)).all()
    assert {row.bag_version_id: row.source_id for row in rows} == {first: "near", second: "cold", third: "cold"}


def test_the_priority_of_a_campaign_is_that_of_its_replicas_and_changes_with_it(engine: Engine) -> None:
    some_bags(engine, 2)
    campaign = a_campaign(engine, priority=7, limits=Limits(bags_in_flight=1))
    prepared(engine)

    def priorities() -> list[int]:
        with transaction(engine) as connection:
            return list(connection.execute(select(replicas.c.priority).order_by(replicas.c.id)).scalars())

    before = priorities()
    with transaction(engine) as connection:
        controlling.change(connection, campaign, values={"priority": -3}, said="Changed", actor="ada")

    assert (before, priorities()) == ([7, 7], [0, 0])
