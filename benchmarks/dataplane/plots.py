"""The figures as pictures: one for each scene and quantity, a group of points for each workload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.dataplane.bars import MIB
from benchmarks.dataplane.clients.catalogue import CLIENTS, OURS
from benchmarks.dataplane.figures import Spread, Summary

_QUANTITIES = {"wall": "wall time", "cpu": "client CPU time", "rss": "peak memory"}
_COLOURS = dict(zip(CLIENTS, ("#d55e00", "#0072b2", "#56b4e9", "#009e73", "#cc79a7", "#555555"), strict=True))


def draw(summaries: Sequence[Summary], directory: Path) -> list[str]:
    """Write one PNG for each scene; returns their names, none where matplotlib is missing."""
    try:
        import matplotlib as mpl
    except ImportError:
        return []
    mpl.use("Agg")
    return [_scene(scene, summaries, directory) for scene in dict.fromkeys(s.scene for s in summaries)]


def _scene(scene: str, summaries: Sequence[Summary], directory: Path) -> str:
    import matplotlib.pyplot as plt

    found = {(s.workload, s.client): s for s in summaries if s.scene == scene}
    workloads = list(dict.fromkeys(workload for workload, _ in found))
    clients = [name for name in CLIENTS if any((workload, name) in found for workload in workloads)]
    figure, axes = plt.subplots(len(_QUANTITIES), 1, figsize=(9, 9.5), layout="constrained")
    for axis, (quantity, title) in zip(axes, _QUANTITIES.items(), strict=True):
        for number, client in enumerate(clients):
            place = (number - (len(clients) - 1) / 2) * 0.8 / len(clients)
            _points(axis, quantity, place, client, [found.get((w, client)) for w in workloads])
        axis.set_xticks(range(len(workloads)), [workload.upper() for workload in workloads])
        axis.set_yscale("log")
        axis.set_xlim(-0.6, len(workloads) - 0.4)
        axis.set_ylim(*_decade(*axis.get_ylim()))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(lambda *_: "")
        axis.set_ylabel("MiB, log" if quantity == "rss" else "seconds, log")
        axis.set_title(f"{title} (median, lines from least to most)", fontsize=10, loc="left")
        axis.grid(axis="y", which="major", alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{scene}: less is better")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    name = f"{scene}.png"
    figure.savefig(directory / name, dpi=110)
    plt.close(figure)
    return name


def _decade(least: float, most: float) -> tuple[float, float]:
    """Limits with room for the figures, a power of ten apart at least: a tenth more must not look like twice."""
    room = max(1.5, (10 * least / most) ** 0.5)
    return least / room, most * room


def _points(axis: Any, quantity: str, place: float, client: str, found: list[Summary | None]) -> None:
    """Medians as dots, the range as lines; on a logarithmic axis bars would have no foot to stand on."""
    scale = MIB if quantity == "rss" else 1
    here: list[tuple[int, Spread]] = [(n, getattr(s, quantity)) for n, s in enumerate(found) if s is not None]
    medians = [spread.median / scale for _, spread in here]
    ranges = [
        [(spread.median - spread.least) / scale for _, spread in here],
        [(spread.most - spread.median) / scale for _, spread in here],
    ]
    xs = [n + place for n, _ in here]
    marker = "D" if client == OURS else "o"
    axis.errorbar(xs, medians, yerr=ranges, fmt=marker, color=_COLOURS[client], label=client, ms=6, lw=1, capsize=2)
    for x, value, (_, spread) in zip(xs, medians, here, strict=True):
        told = f"{value:.2g}" if value < 10 else f"{value:.0f}"
        # Above the line, which would cross it.
        axis.annotate(
            told, (x, spread.most / scale), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=7
        )
