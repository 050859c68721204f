"""Who may be thawed now, for how many days, and when to look again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from common.ports import Tier
from common.thawing.admission import Admitted, Decision, days_for
from common.thawing.budget import Budget, Hours, next_day, next_month
from common.thawing.candidates import Usage
from common.thawing.tiers import span
from unit.common.thawing.builders import GB, NOON, TB, decided, ids, waits

NIGHT = Budget(hours=(Hours(20 * 60, 6 * 60),))
FULL = Usage(bytes=2 * TB, objects=2_000_000, bytes_today=5 * TB, requests_today=10_000, cost_this_month=Decimal(400))


def test_without_a_budget_everybody_goes_for_the_longest_window() -> None:
    assert decided([waits(1), waits(2)], Budget()) == Decision(
        (Admitted(1, 3), Admitted(2, 3)), "", NOON + timedelta(minutes=15)
    )


@pytest.mark.parametrize(
    ("budget", "why", "until"),
    [
        (Budget(bytes_in_flight=2 * TB), "2.0 TB of 2.0 TB in flight", NOON + timedelta(seconds=30)),
        (
            Budget(objects_in_flight=2_000_000),
            "2,000,000 of 2,000,000 objects in flight",
            NOON + timedelta(seconds=30),
        ),
        (
            Budget(bytes_per_day=5 * TB),
            "5.0 TB of 5.0 TB for today are used",
            datetime(2026, 3, 11, tzinfo=UTC),
        ),
        (
            Budget(requests_per_day=10_000),
            "10,000 of 10,000 requests for today are used",
            datetime(2026, 3, 11, tzinfo=UTC),
        ),
        (
            Budget(cost_per_month=Decimal(400)),
            "400.00 of 400.00 for this month are spent, and 0.10 more are needed",
            datetime(2026, 4, 1, tzinfo=UTC),
        ),
        (
            Budget(copy_rate=1e6),
            "copying takes 1.0 MB a second and has 2.0 TB before it",
            NOON + timedelta(seconds=30),
        ),
    ],
    ids=["bytes", "objects", "day", "requests", "money", "copying"],
)
def test_a_budget_that_is_used_up_says_what_of_and_until_when(budget: Budget, why: str, until: datetime) -> None:
    assert decided([waits(1, cost=Decimal("0.10"))], budget, FULL) == Decision(
        (), f"Waiting for the thaw budget of glacier: {why}", until
    )


def test_as_many_go_as_fit_and_a_smaller_one_goes_past_one_that_does_not() -> None:
    line = [waits(1, bytes=6 * GB), waits(2, bytes=5 * GB), waits(3, bytes=4 * GB)]

    assert ids(decided(line, Budget(bytes_in_flight=10 * GB))) == [1, 3]


def test_what_is_larger_than_a_limit_goes_when_nothing_else_is_in_flight() -> None:
    giant, budget = waits(1, bytes=3 * TB), Budget(bytes_in_flight=TB)

    assert ids(decided([giant], budget)) == [1]
    assert ids(decided([giant], budget, Usage(bytes=1))) == []


def test_money_is_never_overspent_not_even_by_one_alone() -> None:
    dear, free = waits(1, cost=Decimal(11)), waits(2)

    assert ids(decided([dear, free], Budget(cost_per_month=Decimal(10)))) == [2]


def test_room_is_made_for_one_that_has_waited_too_long_to_fit() -> None:
    budget = Budget(bytes_in_flight=10 * GB, longest_wait=timedelta(days=2))
    small = [waits(number) for number in range(2, 9)]

    early = decided([waits(1, bytes=9 * GB, waited=timedelta(days=1)), *small], budget, Usage(bytes=5 * GB))
    late = decided([waits(1, bytes=9 * GB, waited=timedelta(days=3)), *small], budget, Usage(bytes=5 * GB))

    assert ids(early) == [2, 3, 4, 5, 6]
    assert ids(late) == []


def test_whoever_waited_too_long_goes_before_higher_priorities() -> None:
    budget = Budget(bytes_in_flight=GB, longest_wait=timedelta(days=2))
    line = [waits(1, priority=9), waits(2, waited=timedelta(days=3)), waits(3, waited=timedelta(days=4))]

    assert ids(decided(line, budget)) == [3]


def test_priority_goes_first_and_among_equals_the_earlier_deadline_and_then_who_came_first() -> None:
    line = [
        waits(1, waited=timedelta(hours=2)),
        waits(2, waited=timedelta(hours=3)),
        waits(3, deadline=NOON + timedelta(days=2)),
        waits(4, deadline=NOON + timedelta(days=1)),
        waits(5, priority=1),
    ]

    assert ids(decided(line, Budget())) == [5, 4, 3, 2, 1]


def test_campaigns_share_what_is_in_flight_however_many_bags_they_have() -> None:
    many = [waits(number, campaign="many") for number in range(1, 101)]
    few = [waits(number, campaign="few") for number in range(101, 104)]

    admitted = ids(decided([*many, *few], Budget(bytes_in_flight=6 * GB)))

    assert (sum(one <= 100 for one in admitted), sum(one > 100 for one in admitted)) == (3, 3)


def test_a_campaign_that_has_much_in_flight_already_lets_the_other_catch_up() -> None:
    line = [*(waits(n, campaign="a") for n in (1, 2, 3)), *(waits(n, campaign="b") for n in (4, 5, 6))]
    budget, used = Budget(bytes_in_flight=8 * GB), Usage(bytes=4 * GB)

    assert ids(decided(line, budget, used, campaigns={"a": 4 * GB})) == [4, 5, 6, 1]


def test_small_bags_are_not_kept_waiting_by_a_giant_one_nor_it_by_them() -> None:
    giant = [waits(number, bag=1, waited=timedelta(hours=9)) for number in range(1, 1001)]
    small = [waits(number) for number in range(1001, 1004)]

    assert ids(decided([*giant, *small], Budget(bytes_in_flight=5 * GB))) == [1, 1001, 1002, 1003, 2]


@pytest.mark.parametrize(
    ("minute", "open_again"),
    [(12 * 60, (10, 20, 0)), (20 * 60, None), (2 * 60, None), (6 * 60, (10, 20, 0))],
)
def test_outside_its_hours_nobody_goes(minute: int, open_again: tuple[int, int, int] | None) -> None:
    now = datetime(2026, 3, 10, minute // 60, minute % 60, 7, tzinfo=UTC)
    expected = (
        Decision((Admitted(1, 3),), "", now + timedelta(minutes=15))
        if open_again is None
        else Decision(
            (),
            "Waiting for the hours in which glacier may thaw: 20:00-06:00 UTC",
            datetime(2026, 3, *open_again, tzinfo=UTC),
        )
    )

    assert decided([waits(1)], NIGHT, now=now) == expected


def test_hours_are_those_of_the_location_also_where_clocks_change() -> None:
    london = ZoneInfo("Europe/London")
    winter, summer = datetime(2026, 1, 5, 19, 30, tzinfo=UTC), datetime(2026, 7, 5, 19, 30, tzinfo=UTC)

    assert [NIGHT.opens(moment, london) for moment in (winter, summer)] == [winter + timedelta(minutes=30), None]


def test_days_and_months_end_where_the_location_is() -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    tokyo = ZoneInfo("Asia/Tokyo")

    assert next_day(new_year, UTC) == next_month(new_year, UTC) == datetime(2027, 1, 1, tzinfo=UTC)
    assert (next_day(new_year, tokyo), next_month(new_year, tokyo)) == (
        datetime(2027, 1, 2, tzinfo=tokyo),
        datetime(2027, 2, 1, tzinfo=tokyo),
    )


@pytest.mark.parametrize(
    ("storage_class", "tier", "ahead", "days"),
    [
        ("GLACIER", Tier.EXPEDITED, 0, 1),
        ("GLACIER", Tier.BULK, 0, 1),
        ("GLACIER", Tier.BULK, 600 * GB, 2),
        ("DEEP_ARCHIVE", Tier.BULK, 0, 3),
        ("DEEP_ARCHIVE", Tier.STANDARD, 0, 1),
        ("GLACIER", Tier.BULK, 90 * TB, 5),
    ],
)
def test_days_are_what_the_restore_and_twice_the_copying_need(
    storage_class: str, tier: Tier, ahead: int, days: int
) -> None:
    assert days_for(ahead=ahead, own=GB, rate=10e6, span=span(storage_class, tier), most=5) == days


def test_days_that_a_request_names_are_asked_for() -> None:
    assert decided([waits(1, days=9)], Budget(copy_rate=1e9)).admitted == (Admitted(1, 9),)


def test_no_more_lies_readable_than_half_a_window_of_copying() -> None:
    """At 10 MB/s a window of 3 days has 1.296 TB in its half."""
    budget = Budget(copy_rate=10e6)
    line = [waits(number, bytes=100 * GB) for number in range(1, 31)]

    assert len(decided(line, budget).admitted) == 12
    assert len(decided(line, budget, Usage(bytes=1200 * GB)).admitted) == 0


def test_what_copying_will_have_done_by_the_time_the_next_thaw_ends_makes_room_for_more() -> None:
    """5 hours at 10 MB/s are 180 GB; what is not surely readable by then cannot have been copied."""
    line = [waits(number, bytes=100 * GB) for number in range(1, 31)]
    warm, warming = Usage(bytes=1200 * GB, warm=1200 * GB), Usage(bytes=1200 * GB, due=50 * GB)

    assert [len(decided(line, Budget(copy_rate=10e6), used).admitted) for used in (warm, warming)] == [2, 1]


def test_the_measured_rate_counts_more_than_the_one_that_was_assumed() -> None:
    line = [waits(number, bytes=100 * GB) for number in range(1, 31)]

    assert len(decided(line, Budget(copy_rate=1e9), copy_rate=5e6).admitted) == 6
