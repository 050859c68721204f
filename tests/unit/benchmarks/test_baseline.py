"""When a ratio counts as worse than before."""

from __future__ import annotations

from benchmarks.dataplane.baseline import Regression, read_baseline, regressions, worth_keeping, write_baseline

NAME = "null-s3/w1/cpu/rclone-both"


def test_a_fall_of_more_than_a_fifth_is_a_regression():
    assert regressions({NAME: 4.0}, {NAME: 3.19}) == [Regression(NAME, 4.0, 3.19)]


def test_a_fall_of_a_fifth_is_not():
    assert regressions({NAME: 5.0}, {NAME: 4.0}) == []


def test_what_was_not_measured_again_or_is_new_is_not_compared():
    assert regressions({NAME: 4.0}, {"null-s3/w2/cpu/rclone-both": 0.1}) == []


def test_a_regression_tells_both_figures_and_the_fall():
    assert Regression(NAME, 4.0, 3.0).line == f"{NAME} fell from 4.00x to 3.00x (-25%)"


def test_only_cpu_against_those_who_check_both_sides_is_kept():
    measured = {NAME: 4.12345, "null-s3/w1/wall/rclone-both": 3.0, "null-s3/w1/cpu/rclone-usual": 2.0}
    assert worth_keeping(measured) == {NAME: 4.123}


def test_a_baseline_reads_back_as_it_was_written(tmp_path):
    path = tmp_path / "baseline.json"
    assert read_baseline(path) == {}
    write_baseline(path, {NAME: 4.0})
    assert read_baseline(path) == {NAME: 4.0}
