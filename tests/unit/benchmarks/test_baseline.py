"""When a ratio counts as worse than before."""

from __future__ import annotations

from benchmarks.dataplane.baseline import Comparison, Regression, compare, read_baseline, worth_keeping, write_baseline

NAME = "null-s3/w1/cpu/rclone-both"
OTHER = "null-s3/w2/cpu/rclone-both"


def compared(baseline: dict[str, float], ratios: dict[str, float], *, scenes=("null-s3",), workloads=("w1", "w2")):
    return compare(baseline, ratios, scenes=scenes, workloads=workloads)


def test_a_fall_of_more_than_a_fifth_is_a_regression():
    assert compared({NAME: 4.0}, {NAME: 3.19}) == Comparison(worse=(Regression(NAME, 4.0, 3.19),))


def test_a_fall_of_a_fifth_is_not():
    assert compared({NAME: 5.0}, {NAME: 4.0}) == Comparison()


def test_what_was_not_measured_again_and_what_is_new_is_told_as_not_compared():
    found = compared({NAME: 4.0}, {OTHER: 0.1})

    assert found == Comparison(missing=(NAME,), unknown=(OTHER,))
    assert found.lines == [
        f"not compared  {NAME}: in the baseline, and this run did not measure it",
        f"not compared  {OTHER}: measured, and not in the baseline; keep it with BASELINE=1",
    ]


def test_what_nobody_asked_for_is_not_missed():
    baseline = {NAME: 4.0, "null-azure/w2/cpu/rclone-both": 2.0, "api/get/cpu/probe": 0.5}

    assert compared(baseline, {}, workloads=("w2",)) == Comparison()
    assert compared(baseline, {}, scenes=("api",)) == Comparison(missing=("api/get/cpu/probe",))


def test_a_ratio_that_could_fall_by_more_than_a_fifth_unnoticed_is_told_as_outgrown():
    found = compared({NAME: 0.86, OTHER: 1.6}, {NAME: 3.2, OTHER: 2.0})

    assert found == Comparison(outgrown=(Regression(NAME, 0.86, 3.2),))
    assert found.lines == [
        f"outgrown  {NAME} rose from 0.86x to 3.20x: a fall back would fail nothing; keep it with BASELINE=1"
    ]


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
