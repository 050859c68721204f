"""Ratios of an earlier run, kept with the code: who falls behind them by more than a fifth has made something worse.

Only CPU ratios are kept: wall time swings with whatever else a machine does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dataplane.clients.catalogue import BOTH, SDKS

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


def worth_keeping(ratios: Mapping[str, float]) -> dict[str, float]:
    """The ratios that a baseline holds, rounded."""
    return {name: round(value, 3) for name, value in sorted(ratios.items()) if name.endswith(_KEPT_PEERS)}


def regressions(
    baseline: Mapping[str, float], ratios: Mapping[str, float], *, slack: float = SLACK
) -> list[Regression]:
    """Those of the baseline's ratios that were measured again and are more than `slack` lower."""
    return [
        Regression(name, before, ratios[name])
        for name, before in sorted(baseline.items())
        if name in ratios and ratios[name] < before * (1 - slack)
    ]


def read_baseline(path: Path) -> dict[str, float]:
    """Empty where there is none yet."""
    if not path.exists():
        return {}
    found: dict[str, float] = json.loads(path.read_text("utf-8"))
    return found


def write_baseline(path: Path, ratios: Mapping[str, float]) -> None:
    path.write_text(json.dumps(worth_keeping(ratios), indent=2) + "\n", "utf-8")
