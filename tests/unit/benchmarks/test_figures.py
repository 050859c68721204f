"""Medians, spreads and ratios."""

from __future__ import annotations

import pytest
from benchmarks.dataplane.figures import Run, Spread, ratios, requests_per_object, summaries
from benchmarks.dataplane.measures import all_measures
from benchmarks.dataplane.rounds import HASH_LIMIT, START_UP

MIB = 1 << 20


def a_run(client="ours", *, number=1, wall=1.0, cpu=1.0, scene="null-s3", workload="w1", requests=None):
    return Run(scene, workload, client, number, wall, cpu, 50 * MIB, requests or {})


def test_a_spread_is_the_median_with_the_least_and_the_most():
    assert Spread.of([3.0, 1.0, 2.0, 9.0, 2.5]) == Spread(2.5, 1.0, 9.0)


def test_a_spread_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        Spread.of([])


def test_ratios_are_peer_by_ours_so_that_more_than_one_means_ahead():
    runs = [a_run(number=n, wall=w, cpu=c) for n, w, c in ((1, 1.0, 2.0), (2, 1.2, 2.0), (3, 9.0, 2.0))]
    runs += [a_run("rclone-both", number=n, wall=3.6, cpu=5.0) for n in (1, 2, 3)]
    assert ratios(summaries(runs)) == {
        "null-s3/w1/cpu/rclone-both": pytest.approx(2.5),
        "null-s3/w1/wall/rclone-both": pytest.approx(3.0),
    }


def test_rounds_in_which_the_machine_was_slow_change_no_ratio():
    slow = {1: 1.0, 2: 4.0, 3: 1.0, 4: 4.0, 5: 4.0}
    runs = [a_run(number=n, wall=factor, cpu=factor) for n, factor in slow.items()]
    # Slower by half than ours in each, but in the last round, which was quick when its turn came.
    runs += [
        a_run("rclone-both", number=n, wall=1.5 * factor, cpu=1.5 * factor) for n, factor in {**slow, 5: 1.0}.items()
    ]

    assert list(ratios(summaries(runs)).values()) == [pytest.approx(1.5), pytest.approx(1.5)]


def test_who_shares_no_round_is_compared_by_medians():
    runs = [a_run(number=1, wall=2.0, cpu=2.0), a_run("rclone-both", number=2, wall=3.0, cpu=5.0)]

    assert ratios(summaries(runs)) == {"null-s3/w1/cpu/rclone-both": 2.5, "null-s3/w1/wall/rclone-both": 1.5}


def test_what_is_no_client_has_no_ratio():
    runs = [a_run(), a_run(HASH_LIMIT), a_run(START_UP)]
    assert ratios(summaries(runs)) == {}


def test_lists_do_not_count_as_requests_per_object():
    [summary] = summaries([a_run(requests={"GET": 20, "PUT": 10, "LIST": 7})])
    assert requests_per_object(summary, objects=10) == 3.0


def test_where_servers_do_not_count_there_are_no_requests_per_object():
    [summary] = summaries([a_run()])
    assert requests_per_object(summary, objects=10) is None


def test_measures_hold_requests_lists_per_thousand_and_memory():
    found = summaries([a_run(requests={"GET": 4000, "PUT": 2000, "LIST": 2})])
    measures = all_measures(found, objects={"w1": 2000}, latency_ms=20, extras={"planning/growth": 1.1})
    assert measures == {
        "null-s3/w1/requests": 3.0,
        "null-s3/w1/lists": 1.0,
        "null-s3/w1/rss": 50.0,
        "planning/growth": 1.1,
    }


def test_over_latency_ours_is_compared_with_three_requests_an_object_and_nothing_else():
    found = summaries([a_run(scene="latency-s3", wall=3.75)])
    measures = all_measures(found, objects={"w1": 2000}, latency_ms=20, extras={})
    assert measures["latency-s3/w1/floor"] == pytest.approx(2.0)


def test_large_files_are_compared_with_hashing_them_twice():
    found = summaries([a_run(workload="w3", wall=4.0), a_run(HASH_LIMIT, workload="w3", wall=3.0)])
    measures = all_measures(found, objects={"w3": 4}, latency_ms=20, extras={})
    assert measures["null-s3/w3/hash-limit"] == pytest.approx(0.75)
