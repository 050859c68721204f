"""What is more than the data plane: planning of large bags, the whole pipeline, the API; in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.dataplane.bars import MIB
from benchmarks.dataplane.errors import CannotMeasure

_SPARSE_SHARE, _QUICK_SPARSE_SHARE = 0.5, 0.01
"""Of the 200 GiB."""
_BAGS, _QUICK_BAGS = (10_000, 100_000, 1_000_000), (1_000, 10_000)


@dataclass(slots=True)
class Whole:
    """Measures by the names of the bars, and lines for the report."""

    measures: dict[str, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def measure_whole(
    scenes: Sequence[str], *, rounds: int, quick: bool, say: Callable[[str], None], bags: int = 3000
) -> Whole:
    """What of it was asked for. Raises CannotMeasure."""
    whole = Whole()
    if "planning" in scenes:
        _plan(whole, _QUICK_BAGS if quick else _BAGS, say)
        _aggregate(whole, _json("benchmarks.aggregating", str(_QUICK_BAGS[-1] if quick else _BAGS[-1])), say)
    if "sparse" in scenes:
        for kind in ("s3", "azure"):
            share = _QUICK_SPARSE_SHARE if quick else _SPARSE_SHARE
            _sparse(whole, _json("benchmarks.sparse", "--to", kind, "--share", str(share)), say)
    if "million" in scenes:
        for bag in ("million", "w3", *([] if quick else ["film"])):
            files = str(_QUICK_BAGS[-1] if quick else _BAGS[-1])
            _services(whole, _json("benchmarks.large_bag", bag, "--files", files), say)
    if "pipeline" in scenes:
        arguments = ["--rounds", str(1 if quick else rounds), *(["--quick"] if quick else [])]
        _pipeline(whole, _json("benchmarks.pipeline", *arguments), say)
    if "api" in scenes:
        small = ["--ingests", "2000", "--campaign", "500", "--seconds", "3"] if quick else []
        _api(whole, _json("benchmarks.api", "--json", *small), say)
    if "import" in scenes:
        _import(whole, _json("benchmarks.importing", "--bags", str(300 if quick else bags)), say)
    return whole


def _api(whole: Whole, took: dict[str, Any], say: Callable[[str], None]) -> None:
    whole.measures.update({f"api/{name}": value for name, value in took["measures"].items()})
    whole.lines += [f"API: {line}" for line in took["lines"]]
    for line in took["lines"]:
        say(f"  API: {line}")


def _import(whole: Whole, took: dict[str, Any], say: Callable[[str], None]) -> None:
    bags = took["bags"]
    each = [f"{1e3 * took[f'{who}_cpu'] / bags:.1f} ms in the {who}" for who in ("register", "ledger", "store")]
    whole.measures["import/rate"] = took["bags_per_second"]
    whole.lines.append(
        f"import of {bags:,} bags by {took['processes']} processes: {took['seconds']:.0f} s,"
        f" {took['bags_per_second']:.0f} bags a second; CPU of each bag {', '.join(each)}"
    )
    say(f"  {whole.lines[-1]}")


def _plan(whole: Whole, bags: Sequence[int], say: Callable[[str], None]) -> None:
    found = [_json("benchmarks.planning", str(files)) for files in bags]
    for took in found:
        files, seconds = took["files"], took["seconds"]
        each = f"{1e6 * took['cpu'] / files:.1f} µs a file, {took['rss'] / MIB:.0f} MiB, {took['segments']} segments"
        whole.lines.append(f"planning {files:,} files: {seconds:.1f} s, {took['cpu']:.1f} s of CPU, {each}")
        say(f"  {whole.lines[-1]}")
    per_file = [took["cpu"] / took["files"] for took in found]
    whole.measures["planning/growth"] = per_file[-1] / per_file[0]
    if bags[-1] == _BAGS[-1]:
        whole.measures[f"planning/{_BAGS[-1]}/seconds"] = found[-1]["seconds"]
        whole.measures[f"planning/{_BAGS[-1]}/rss"] = found[-1]["rss"] / MIB


def _aggregate(whole: Whole, took: dict[str, Any], say: Callable[[str], None]) -> None:
    whole.lines.append(
        f"aggregating {took['files']:,} files: {took['seconds']:.1f} s, {took['rss'] / MIB:.0f} MiB of memory"
    )
    say(f"  {whole.lines[-1]}")
    if took["files"] == _BAGS[-1]:
        whole.measures[f"aggregating/{_BAGS[-1]}/rss"] = took["rss"] / MIB


def _sparse(whole: Whole, took: dict[str, Any], say: Callable[[str], None]) -> None:
    if took["copied_gib"] > 99:
        whole.measures[f"sparse-{took['to']}/rss"] = took["rss"] / MIB
    whole.lines.append(
        f"one object of {took['gib']:.0f} GiB to {took['to']}, {took['parts']:,} parts of {took['part_mib']} MiB:"
        f" {took['rss'] / MIB:.0f} MiB of memory after {took['copied_gib']:.1f} GiB of it, {took['seconds']:.0f} s"
    )
    say(f"  {whole.lines[-1]}")


def _services(whole: Whole, took: dict[str, Any], say: Callable[[str], None]) -> None:
    steps = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in took["seconds"].items())
    held = ", ".join(f"{name} {peak} MiB and {took['cpu'][name]:.0f} s of CPU" for name, peak in took["rss"].items())
    whole.lines += [
        f"{took['bag']} through the services, {took['files']:,} files in {took['segments']:,} segments: {steps}",
        f"{took['bag']} through the services: {held}",
    ]
    if took["bag"] != "million" or took["files"] >= _BAGS[-1]:
        whole.measures |= {f"{took['bag']}/{name}/rss": peak for name, peak in took["rss"].items()}
        whole.measures[f"{took['bag']}/rss"] = max(took["rss"].values())
    for line in whole.lines[-2:]:
        say(f"  {line}")


def _pipeline(whole: Whole, took: dict[str, Any], say: Callable[[str], None]) -> None:
    whole.measures["pipeline/w5/wall/rclone-both"] = took["ratio"]
    bags, segments = took["bags"], took["segments"]
    over = took["pipeline"] - took["data_plane"]
    cpu = took["service_cpu"] - took["data_plane_cpu"]
    whole.lines += [
        (
            f"pipeline: {bags} bags in {segments} segments, {took['files']:,} files: {took['pipeline']:.2f} s;"
            f" the data plane alone {took['data_plane']:.2f} s, rclone-both {took['rclone']:.2f} s"
        ),
        (
            f"pipeline's own overhead: {1000 * over / bags:.0f} ms of wall and {1000 * cpu / bags:.0f} ms of CPU a bag,"
            f" {1000 * over / segments:.0f} ms and {1000 * cpu / segments:.0f} ms a segment"
            " (everything beyond the data plane: API, ledger, broker, six services)"
        ),
    ]
    for line in whole.lines[-2:]:
        say(f"  {line}")


def _json(module: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMeasure(f"{module} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
