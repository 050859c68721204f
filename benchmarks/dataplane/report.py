"""benchmarks/out/report.md: every figure with who checked what, and the verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.dataplane.bars import MIB, Verdict
from benchmarks.dataplane.baseline import Comparison
from benchmarks.dataplane.clients.catalogue import CLIENTS, OURS
from benchmarks.dataplane.figures import Spread, Summary, requests_per_object
from benchmarks.dataplane.rounds import START_UP

_SCENES = {
    "null-s3": "Null servers, S3 to S3",
    "null-azure": "Null servers, S3 to Azure",
    "latency-s3": "Null servers with 20 ms added to every request, S3 to S3",
    "latency-azure": "Null servers with 20 ms added to every request, S3 to Azure",
    "real-s3": "Real servers, rclone serve s3 to rclone serve s3",
    "real-azure": "Real servers, rclone serve s3 to Azurite in memory",
    "tls-s3": "Real servers over TLS, rclone serve s3 to rclone serve s3",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a report tells."""

    machine: str
    stories: Mapping[str, str]
    """Of the workloads."""
    objects: Mapping[str, int]
    summaries: Sequence[Summary]
    verdicts: Sequence[Verdict]
    compared: Comparison
    ceilings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    whole: Sequence[str] = ()
    """Lines about planning and the pipeline."""


def write(facts: Facts, *, plots: Sequence[str] = ()) -> str:
    """The report as Markdown; `plots` are names of files beside it."""
    sections = ["# The data plane side by side", facts.machine, _guarantees()]
    scenes = dict.fromkeys(summary.scene for summary in facts.summaries)
    for scene in scenes:
        found = [summary for summary in facts.summaries if summary.scene == scene]
        sections.append(f"## {_SCENES.get(scene, scene)}")
        if scene in facts.ceilings:
            sections.append(_ceiling(facts.ceilings[scene]))
        for workload in dict.fromkeys(summary.workload for summary in found):
            sections.append(f"### {workload.upper()}: {facts.stories[workload]}")
            sections.append(_table([s for s in found if s.workload == workload], facts.objects[workload]))
    if plots:
        sections += ["## Plots", *(f"![{name}]({name})" for name in plots)]
    if facts.whole:
        sections += ["## Planning and the whole pipeline", "\n".join(f"- {line}" for line in facts.whole)]
    sections += ["## Bars", "\n".join(f"- {verdict.line}" for verdict in facts.verdicts)]
    if facts.compared.lines:
        sections += ["## Against the baseline", "\n".join(f"- {line}" for line in facts.compared.lines)]
    return "\n\n".join(sections) + "\n"


def _guarantees() -> str:
    rows = [(c.name, _word(c.source_checked), _word(c.replica_checked), c.how) for c in CLIENTS.values()]
    return "## Who checks what\n\n" + _markdown(("client", "source checked", "replica checked", "how"), rows)


def _word(checked: bool) -> str:
    return "yes" if checked else "no"


def _table(found: Sequence[Summary], objects: int) -> str:
    ours = next((summary for summary in found if summary.client == OURS), None)
    rows = [_row(summary, ours, objects) for summary in found]
    heads = (
        "client",
        "wall s",
        "client CPU s",
        "peak MiB",
        "requests per object",
        "wall by ours",
        "CPU by ours",
        "checks",
    )
    return _markdown(heads, rows) + _running(found, ours)


def _running(found: Sequence[Summary], ours: Summary | None) -> str:
    """What the ratios would be if ours ran already, as a service does; the bars go by the table."""
    idle = next((summary for summary in found if summary.client == START_UP), None)
    if ours is None or idle is None or idle.cpu.median >= ours.cpu.median or idle.wall.median >= ours.wall.median:
        return ""
    wall, cpu = ours.wall.median - idle.wall.median, ours.cpu.median - idle.cpu.median
    told = (
        f"{peer.client} {peer.wall.median / wall:.2f}x wall, {peer.cpu.median / cpu:.2f}x CPU"
        for peer in found
        if peer.client in CLIENTS and peer.client != OURS
    )
    return f"\n\nOurs without its start-up: {wall:.2f} s wall, {cpu:.2f} s CPU; against that {'; '.join(told)}."


def _row(summary: Summary, ours: Summary | None, objects: int) -> tuple[str, ...]:
    each = requests_per_object(summary, objects=objects)
    peer = summary.client in CLIENTS and summary.client != OURS
    return (
        summary.client,
        _spread(summary.wall),
        _spread(summary.cpu),
        f"{summary.rss.most / MIB:.0f}",
        "" if each is None else f"{each:.2f}",
        f"{summary.by(ours, 'wall'):.2f}x" if ours and peer else "",
        f"{summary.by(ours, 'cpu'):.2f}x" if ours and peer else "",
        _checks(summary.client),
    )


def _checks(name: str) -> str:
    client = CLIENTS.get(name)
    if client is None:
        return "not a copy"
    return " + ".join(
        end for end, checked in (("source", client.source_checked), ("replica", client.replica_checked)) if checked
    )


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f}-{spread.most:.2f})"


def _ceiling(rates: Mapping[str, float]) -> str:
    told = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
    return f"The destination server's ceiling, measured with 16 threads: {told}."


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
