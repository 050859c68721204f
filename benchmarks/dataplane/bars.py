"""What must be reached. Pure: a table of bars, and the verdict on measures that go by the same names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.dataplane.clients.catalogue import BOTH

from local_stack.settings import SERVICES

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Bar:
    """A measure and what it must be."""

    measure: str
    says: str
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "x"

    def passed(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    @property
    def demand(self) -> str:
        if self.at_least is not None:
            return f"at least {_shown(self.at_least, self.unit)}"
        assert self.at_most is not None
        return f"at most {_shown(self.at_most, self.unit)}"


CPU_BARS = {"w1": 4.0, "w2": 1.25, "w4": 1.3}
LARGE_CPU_BARS = {"s3": 1.2, "azure": 2.1}
SMALL_WALL_BAR = 3.0
WALL_SLACK = 0.85
"""Where wall time may fall behind the CPU bar: 15 %."""


def _cpu_bar(workload: str, kind: str) -> float:
    return LARGE_CPU_BARS[kind] if workload == "w3" else CPU_BARS[workload]


def _against_rclone() -> list[Bar]:
    bars = []
    for kind in ("s3", "azure"):
        for workload in ("w1", "w2", "w4", "w3"):
            name, cpu = workload.upper(), _cpu_bar(workload, kind)
            wall = SMALL_WALL_BAR if workload == "w1" else round(cpu * WALL_SLACK, 4)
            where, whom = f"null-{kind}/{workload}", f"{BOTH}, null servers, S3 to {kind}"
            bars.append(Bar(f"{where}/cpu/{BOTH}", f"{name} client CPU against {whom}", at_least=cpu))
            bars.append(Bar(f"{where}/wall/{BOTH}", f"{name} wall against {whom}", at_least=wall))
    return bars


def _on_real_servers() -> list[Bar]:
    bars = []
    for kind in ("s3", "azure"):
        for workload in ("w1", "w2", "w4", "w3"):
            name, where = workload.upper(), f"real-{kind}/{workload}"
            whom = f"{BOTH}, real servers, S3 to {kind}"
            cpu = _cpu_bar(workload, kind)
            bars.append(Bar(f"{where}/cpu/{BOTH}", f"{name} client CPU against {whom}", at_least=cpu))
            bars.append(Bar(f"{where}/wall/{BOTH}", f"{name} wall against {whom}, never behind", at_least=1.0))
    for workload in ("w1", "w2", "w4", "w3"):
        for cost, says in (("cpu", "client CPU"), ("wall", "wall")):
            whom = f"{BOTH}, real servers over TLS, S3 to s3, never behind"
            name = f"tls-s3/{workload}/{cost}/{BOTH}"
            bars.append(Bar(name, f"{workload.upper()} {says} against {whom}", at_least=1.0))
    return bars


def _of_our_own() -> list[Bar]:
    bars = []
    for kind in ("s3", "azure"):
        bars += [
            Bar(f"null-{kind}/w1/requests", f"requests per object, S3 to {kind}", at_most=3.0, unit=""),
            Bar(f"null-{kind}/w1/lists", f"lists per 1,000 objects, S3 to {kind}", at_most=1.0, unit=""),
            Bar(
                f"latency-{kind}/w1/floor",
                f"W1 with 20 ms a request against the floor (64 at once), S3 to {kind}",
                at_most=1.3,
            ),
            Bar(f"null-{kind}/w3/hash-limit", f"W3 share of hashing twice, S3 to {kind}", at_least=0.6, unit=" of 1"),
            Bar(
                f"null-{kind}/w3/rss", f"W3 peak memory of the data plane alone, S3 to {kind}", at_most=200, unit=" MiB"
            ),
        ]
    return bars


def _of_whole() -> list[Bar]:
    return [
        Bar("pipeline/w5/wall/rclone-both", "W5 through the whole pipeline against rclone-both", at_least=1.0),
        *(
            Bar(
                f"sparse-{kind}/rss",
                f"200 GiB, planned and half copied to {kind}, peak memory",
                at_most=256,
                unit=" MiB",
            )
            for kind in ("s3", "azure")
        ),
        *(
            Bar(f"million/{name}/rss", f"1,000,000 files, peak memory of {name}", at_most=200, unit=" MiB")
            for name in SERVICES
        ),
        Bar("w3/rss", "W3 through the services, peak memory of the largest", at_most=200, unit=" MiB"),
        Bar("film/rss", "200 GiB, planned and half copied by the services, the largest", at_most=256, unit=" MiB"),
        Bar("planning/1000000/rss", "planning 1,000,000 files, peak memory", at_most=200, unit=" MiB"),
        Bar("aggregating/1000000/rss", "aggregating 1,000,000 files, peak memory", at_most=200, unit=" MiB"),
        Bar("planning/1000000/seconds", "planning 1,000,000 files", at_most=60, unit=" s"),
        Bar("planning/growth", "planning: CPU per file at the largest bag by that at the smallest", at_most=1.5),
    ]


def _of_api() -> list[Bar]:
    """Over 1,000,000 ingests and 5,000,000 events."""
    rates = {"get": ("GET /ingests/{id}", 1000, 1.0), "post": ("POST /ingests", 250, 4.0)}
    bars = []
    for name, (says, rate, cpu) in rates.items():
        bars.append(Bar(f"api/{name}/rate", f"{says} of one process, a second", at_least=rate, unit=""))
        bars.append(Bar(f"api/{name}/p95", f"{says}, 95 % within", at_most=60, unit=" ms"))
        bars.append(Bar(f"api/{name}/cpu", f"{says}, CPU of the API a request", at_most=cpu, unit=" ms"))
    return [
        *bars,
        Bar("api/lists/p95", "the slowest list: 95 % of its pages, at any depth, within", at_most=60, unit=" ms"),
        Bar("api/campaign/seconds", "a campaign of 260,000 bags is created within", at_most=120, unit=" s"),
        Bar("api/rss", "peak memory of the API", at_most=250, unit=" MiB"),
    ]


BARS: tuple[Bar, ...] = (*_against_rclone(), *_of_our_own(), *_on_real_servers(), *_of_whole(), *_of_api())


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar and how we stand to it; `value` is None where it was not measured."""

    bar: Bar
    value: float | None

    @property
    def passed(self) -> bool:
        return self.value is not None and self.bar.passed(self.value)

    @property
    def line(self) -> str:
        """passed or missed, with figures."""
        if self.value is None:
            return f"not measured  {self.bar.says}: {self.bar.demand}"
        word = "passed" if self.passed else "MISSED"
        return f"{word}  {self.bar.says}: {_shown(self.value, self.bar.unit)}, must be {self.bar.demand}"


def judge(measures: Mapping[str, float], bars: tuple[Bar, ...] = BARS) -> list[Verdict]:
    """One verdict for each bar, in their order."""
    return [Verdict(bar, measures.get(bar.measure)) for bar in bars]


def _shown(value: float, unit: str) -> str:
    return f"{value:,.0f}{unit}" if abs(value) >= 100 else f"{value:.2f}{unit}"
