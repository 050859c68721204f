"""What `make bench` ends with, through its own command line, on runs that were measured before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.dataplane.__main__ import main
from benchmarks.dataplane.bars import BARS
from benchmarks.dataplane.clients.catalogue import BOTH, OURS, SDKS

RCLONE, BOTO = f"null-s3/w1/cpu/{BOTH}", f"null-s3/w1/cpu/{SDKS}"
CPU = {OURS: 1.0, BOTH: 4.0, SDKS: 5.0}
"""Seconds: the ratios of the baseline."""


@pytest.fixture
def bench(tmp_path, capsys):
    """Runs the command; returns its status and what it told."""
    return Bench(tmp_path, capsys)


class Bench:
    def __init__(self, room: Path, capsys) -> None:
        self.room, self._capsys = room, capsys
        self.baseline = room / "baseline.json"
        self.baseline.write_text(json.dumps({RCLONE: 4.0, BOTO: 5.0}))

    def judged(self, cpu: dict[str, float], *, quick: bool = False) -> tuple[int, list[str]]:
        """An earlier run of W1 on the null servers, in which clients took so many seconds."""
        asked = {"workloads": ["w1"], "scenes": ["null-s3"], "rounds": 1, "quick": quick, "bags": 3000}
        kept = {"asked": asked, "ceilings": {}, "whole": {"measures": {}, "lines": []}}
        file = self.room / "earlier.json"
        file.write_text(json.dumps({**kept, "runs": [_run(name, seconds) for name, seconds in cpu.items()]}))
        return self.run("--judge", str(file))

    def run(self, *words: str) -> tuple[int, list[str]]:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--baseline", str(self.baseline), "--out", str(self.room / "out")])
        told = self._capsys.readouterr().out.splitlines()
        return ended.value.code, [line for line in told if line.startswith(("WORSE", "not compared", "outgrown"))]


def _run(client: str, cpu: float) -> dict[str, object]:
    requests = {"GET": 4000, "PUT": 2000, "LIST": 2}
    facts = {"scene": "null-s3", "workload": "w1", "client": client, "round": 1, "wall": cpu, "cpu": cpu}
    return {**facts, "rss": 50 << 20, "requests": requests}


def test_a_run_as_good_as_the_baseline_ends_well_and_tells_nothing(bench):
    assert bench.judged(CPU) == (0, [])


def test_a_ratio_more_than_a_fifth_worse_fails_the_run_and_is_named_with_both_figures(bench):
    assert bench.judged(CPU | {BOTH: 3.19}) == (1, [f"WORSE   {RCLONE} fell from 4.00x to 3.19x (-20%)"])


def test_ours_having_become_slower_fails_every_ratio(bench):
    status, told = bench.judged(CPU | {OURS: 1.3})

    assert status == 1
    assert told == [
        f"WORSE   {RCLONE} fell from 4.00x to 3.08x (-23%)",
        f"WORSE   {BOTO} fell from 5.00x to 3.85x (-23%)",
    ]


def test_a_ratio_a_fifth_worse_does_not_fail_the_run(bench):
    assert bench.judged(CPU | {BOTH: 3.2}) == (0, [])


def test_a_peer_that_was_not_measured_is_told(bench):
    told = f"not compared  {BOTO}: in the baseline, and this run did not measure it"

    assert bench.judged({OURS: 1.0, BOTH: 4.0}) == (0, [told])


def test_a_peer_that_the_baseline_has_not_is_told(bench):
    bench.baseline.write_text(json.dumps({RCLONE: 4.0}))

    assert bench.judged(CPU) == (
        0,
        [f"not compared  {BOTO}: measured, and not in the baseline; keep it with BASELINE=1"],
    )


def test_a_quick_run_is_compared_with_nothing(bench):
    assert bench.judged(CPU | {BOTH: 0.1}, quick=True) == (0, [])


def test_the_report_and_the_results_tell_the_regression_too(bench):
    bench.judged(CPU | {BOTH: 2.0})

    out = bench.room / "out"
    assert f"- WORSE   {RCLONE} fell from 4.00x to 2.00x (-50%)" in (out / "report.md").read_text().splitlines()
    assert json.loads((out / "results.json").read_text())["measures"][RCLONE] == 2.0


def test_every_bar_has_a_line_and_those_that_were_not_measured_say_so(bench):
    bench.judged(CPU)

    report = (bench.room / "out" / "report.md").read_text()
    lines = [line for line in report.split("## Bars")[1].splitlines() if line.startswith("- ")]
    assert len(lines) == len(BARS)
    measured = [line for line in lines if not line.startswith("- not measured  ")]
    assert measured == lines[-len(measured) :]
    assert f"- passed  W1 client CPU against {BOTH}, null servers, S3 to s3: 4.00x, must be at least 4.00x" in measured


def test_results_can_be_judged_again_from_where_they_were_written(bench):
    bench.judged(CPU | {BOTH: 2.0})

    status, told = bench.run("--judge", str(bench.room / "out" / "results.json"))

    assert (status, told) == (1, [f"WORSE   {RCLONE} fell from 4.00x to 2.00x (-50%)"])


def test_a_file_that_is_no_result_is_refused_by_name(bench):
    status, _ = bench.run("--judge", str(bench.baseline))

    assert f"{bench.baseline} is no results.json of this benchmark" in status
