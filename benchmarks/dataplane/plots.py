"""The figures as pictures: one for each scene and quantity, a group of bars for each workload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.dataplane.bars import MIB
from benchmarks.dataplane.clients.catalogue import CLIENTS, OURS
from benchmarks.dataplane.figures import Spread, Summary

_QUANTITIES = {"wall": "wall time", "cpu": "client CPU time", "rss": "peak memory"}


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
            _bars(axis, quantity, number, len(clients), client, [found.get((w, client)) for w in workloads])
        axis.set_xticks(range(len(workloads)), [workload.upper() for workload in workloads])
        axis.set_yscale("log")
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


def _bars(axis: object, quantity: str, number: int, clients: int, client: str, found: list[Summary | None]) -> None:
    width = 0.85 / clients
    shift = (number - (clients - 1) / 2) * width
    scale = MIB if quantity == "rss" else 1
    here: list[tuple[int, Spread]] = [(n, getattr(s, quantity)) for n, s in enumerate(found) if s is not None]
    medians = [spread.median / scale for _, spread in here]
    errors = [
        [(spread.median - spread.least) / scale for _, spread in here],
        [(spread.most - spread.median) / scale for _, spread in here],
    ]
    colour = "#d1495b" if client == OURS else f"C{(0, 2, 4, 5, 7, 9)[number % 6]}"
    bars = axis.bar(  # type: ignore[attr-defined]
        [n + shift for n, _ in here], medians, width, yerr=errors, label=client, color=colour, error_kw={"lw": 1}
    )
    axis.bar_label(bars, [f"{value:.2g}" if value < 10 else f"{value:.0f}" for value in medians], fontsize=6, padding=2)  # type: ignore[attr-defined]
