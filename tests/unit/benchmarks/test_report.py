"""What the report says."""

from __future__ import annotations

from benchmarks.dataplane.bars import Bar, judge
from benchmarks.dataplane.baseline import Comparison, Regression
from benchmarks.dataplane.figures import Run, summaries
from benchmarks.dataplane.report import Facts, write

BAR = Bar("null-s3/w1/cpu/rclone-usual", "W1 client CPU", at_least=4.0)


def a_report():
    runs = [
        Run("null-s3", "w1", "ours", 1, 0.5, 0.4, 40 << 20, {"GET": 20, "PUT": 10, "LIST": 1}),
        Run("null-s3", "w1", "rclone-usual", 1, 1.0, 1.2, 80 << 20, {"GET": 30, "PUT": 10, "LIST": 2}),
        Run("null-s3", "w1", "ours-start-up", 1, 0.25, 0.1, 30 << 20),
    ]
    return write(
        Facts(
            machine="2 cores",
            stories={"w1": "10 x 10 KB"},
            objects={"w1": 10},
            summaries=summaries(runs),
            verdicts=judge({BAR.measure: 3.0}, (BAR,)),
            compared=Comparison(worse=(Regression(BAR.measure, 4.0, 3.0),)),
            ceilings={"null-s3": {"PUT 10 KB/s": 3770.4}},
        ),
        plots=["null-s3.png"],
    )


def test_every_row_names_what_its_client_checks():
    lines = a_report().splitlines()
    assert "| ours | 0.50 (0.50-0.50) | 0.40 (0.40-0.40) | 40 | 3.00 |  |  | source + replica |" in lines
    assert "| rclone-usual | 1.00 (1.00-1.00) | 1.20 (1.20-1.20) | 80 | 4.00 | 2.00x | 3.00x | replica |" in lines


def test_what_ours_costs_without_starting_is_told_beside_and_not_in_the_table():
    told = "Ours without its start-up: 0.25 s wall, 0.30 s CPU; against that rclone-usual 4.00x wall, 4.00x CPU."
    assert told in a_report().splitlines()


def test_it_ends_with_the_bars_and_what_became_worse():
    assert a_report().splitlines()[-5:] == [
        "- MISSED  W1 client CPU: 3.00x, must be at least 4.00x",
        "",
        "## Against the baseline",
        "",
        f"- WORSE   {BAR.measure} fell from 4.00x to 3.00x (-25%)",
    ]
