"""From runs to figures: medians, spreads and ratios. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from benchmarks.dataplane.clients.catalogue import CLIENTS, OURS


@dataclass(frozen=True, slots=True)
class Run:
    """One client over one workload in one scene, once."""

    scene: str
    workload: str
    client: str
    round: int
    wall: float
    cpu: float
    rss: int
    requests: dict[str, int] = field(default_factory=dict)
    """By method; empty where the servers do not count."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Raises ValueError where there are none."""
        found = sorted(values)
        if not found:
            raise ValueError("a spread needs at least one measurement")
        return cls(median(found), found[0], found[-1])


@dataclass(frozen=True, slots=True)
class Summary:
    """All runs of one client over one workload in one scene."""

    scene: str
    workload: str
    client: str
    wall: Spread
    cpu: Spread
    rss: Spread
    requests: dict[str, float]
    rounds: dict[int, Run]

    def by(self, ours: Summary, figure: Literal["wall", "cpu"]) -> float:
        """The median of what this took by what ours took in the same round: a machine that is slower in some rounds is
        so for both. Of their medians, where they share no round."""
        shared = [(run, ours.rounds[number]) for number, run in self.rounds.items() if number in ours.rounds]
        if not shared:
            return float(getattr(self, figure).median / getattr(ours, figure).median)
        return median(getattr(run, figure) / getattr(mine, figure) for run, mine in shared)


def summaries(runs: Iterable[Run]) -> list[Summary]:
    """One for each scene, workload and client, in the order in which they first ran."""
    groups: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for run in runs:
        groups[run.scene, run.workload, run.client].append(run)
    return [
        Summary(
            *names,
            wall=Spread.of(run.wall for run in group),
            cpu=Spread.of(run.cpu for run in group),
            rss=Spread.of(run.rss for run in group),
            requests={m: median(run.requests.get(m, 0) for run in group) for m in group[0].requests},
            rounds={run.round: run for run in group},
        )
        for names, group in groups.items()
    ]


def ratios(found: Iterable[Summary]) -> dict[str, float]:
    """Peer by ours, so that more than 1 means that we are ahead: "null-s3/w1/cpu/rclone-both" → 4.2."""
    everything = list(found)
    ours = {(s.scene, s.workload): s for s in everything if s.client == OURS}
    answer: dict[str, float] = {}
    for peer in everything:
        mine = ours.get((peer.scene, peer.workload))
        if mine is None or peer.client == OURS or peer.client not in CLIENTS:
            continue
        where = f"{peer.scene}/{peer.workload}"
        answer[f"{where}/cpu/{peer.client}"] = peer.by(mine, "cpu")
        answer[f"{where}/wall/{peer.client}"] = peer.by(mine, "wall")
    return answer


def requests_per_object(summary: Summary, *, objects: int) -> float | None:
    """Without lists; None where the servers do not count."""
    if not summary.requests:
        return None
    return sum(number for method, number in summary.requests.items() if method != "LIST") / objects
