"""Ratios of an earlier run, kept with the code: who falls behind them by more than a fifth has made something worse.

Only CPU ratios are kept: wall time swings with whatever else a machine does.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dataplane.clients.catalogue import BOTH, SDKS
from benchmarks.dataplane.workloads import SHAPES

SLACK = 0.2
_KEPT_PEERS = (f"/cpu/{BOTH}", f"/cpu/{SDKS}", "/cpu/probe")
"""The API has no peer: its ratio is that of the CPU of a probe by that of a request, through the same server."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A ratio that has become worse."""

    ratio: str
    before: float
    now: float

    @property
    def line(self) -> str:
        return f"{self.ratio} fell from {self.before:.2f}x to {self.now:.2f}x ({self.now / self.before - 1:+.0%})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against the baseline."""

    worse: tuple[Regression, ...] = ()
    """These fail the run."""
    missing: tuple[str, ...] = ()
    """Ratios of the baseline that this run was asked for and has not measured: nothing is known of them."""
    unknown: tuple[str, ...] = ()
    """Ratios that were measured and that the baseline does not have: however bad, they fail nothing."""
    outgrown: tuple[Regression, ...] = ()
    """So much better that they could fall back by more than the slack and still be above the baseline."""

    @property
    def lines(self) -> list[str]:
        """What is to be told, the worst first; none where everything was compared and is as before."""
        return [
            *(f"WORSE   {one.line}" for one in self.worse),
            *(f"not compared  {name}: in the baseline, and this run did not measure it" for name in self.missing),
            *(
                f"not compared  {name}: measured, and not in the baseline; keep it with BASELINE=1"
                for name in self.unknown
            ),
            *(
                f"outgrown  {one.ratio} rose from {one.before:.2f}x to {one.now:.2f}x: a fall back would fail nothing;"
                " keep it with BASELINE=1"
                for one in self.outgrown
            ),
        ]


def compare(
    baseline: Mapping[str, float],
    ratios: Mapping[str, float],
    *,
    scenes: Collection[str],
    workloads: Collection[str],
    slack: float = SLACK,
) -> Comparison:
    """Every ratio of the baseline that belongs to these scenes and workloads, and every one that should be in it."""
    kept = worth_keeping(ratios)
    both = [(name, baseline[name], ratios[name]) for name in sorted(baseline) if name in ratios]
    return Comparison(
        worse=tuple(Regression(*one) for one in both if one[2] < one[1] * (1 - slack)),
        missing=tuple(n for n in sorted(baseline) if n not in ratios and _asked(n, scenes, workloads)),
        unknown=tuple(name for name in kept if name not in baseline),
        outgrown=tuple(Regression(*one) for one in both if one[2] * (1 - slack) > one[1]),
    )


def _asked(ratio: str, scenes: Collection[str], workloads: Collection[str]) -> bool:
    scene, workload = ratio.split("/")[:2]
    return scene in scenes and (workload in workloads or workload not in SHAPES)


def worth_keeping(ratios: Mapping[str, float]) -> dict[str, float]:
    """The ratios that a baseline holds, rounded."""
    return {name: round(value, 3) for name, value in sorted(ratios.items()) if name.endswith(_KEPT_PEERS)}


def read_baseline(path: Path) -> dict[str, float]:
    """Empty where there is none yet."""
    if not path.exists():
        return {}
    found: dict[str, float] = json.loads(path.read_text("utf-8"))
    return found


def write_baseline(path: Path, ratios: Mapping[str, float]) -> None:
    path.write_text(json.dumps(worth_keeping(ratios), indent=2) + "\n", "utf-8")
