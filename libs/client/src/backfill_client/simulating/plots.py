"""Pictures of a simulation: what is in flight, what is copied and what it has cost, over time. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from backfill_client.simulating.report import Result
from backfill_client.simulating.world import Sample

_STYLES = (("#1b6ca8", "solid"), ("#c8553d", (0, (4, 2))), ("#6a994e", (0, (1, 1.2))))
"""Colour and dashes: lines that lie upon each other can still be told apart."""
_PICTURES: tuple[tuple[str, str, str, Callable[[Sample], float]], ...] = (
    ("in-flight", "Asked for and not copied yet", "TB", lambda one: (one.waiting + one.readable) / 1e12),
    ("readable", "Readable and not copied yet", "TB", lambda one: one.readable / 1e12),
    ("copied", "Copied", "TB", lambda one: one.copied / 1e12),
    ("cost", "Spent on thawing", "", lambda one: float(one.cost)),
)


def _line(result: Result, value: Callable[[Sample], float], *, until: float) -> tuple[list[float], list[float]]:
    """Days and values, to the end of the picture where the policy takes longer."""
    shown = [one for one in result.samples if one.hours <= until]
    days, values = [one.hours / 24 for one in shown], [value(one) for one in shown]
    if shown and len(shown) < len(result.samples):
        days, values = [*days, until / 24], [*values, values[-1]]
    return days, values


def draw(results: Sequence[Result], folder: Path) -> list[Path]:
    """One picture for each question, as SVG; returns their paths. Raises ImportError without matplotlib.

    Policies that take ten times as long as the first are cut off where the others have ended; the legend has all days.
    """
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "backfill"
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    until = 24 * 1.03 * max(one.days for one in results if one.days <= 10 * results[0].days)
    drawn = []
    for name, title, unit, value in _PICTURES:
        figure, axes = pyplot.subplots(figsize=(7.5, 3.6), layout="constrained")
        for result, (colour, dashes) in zip(results, _STYLES, strict=False):
            days, values = _line(result, value, until=until)
            label = f"{result.policy} ({result.days:,.0f} days)"
            # What lies on the axis is drawn whole, upon it.
            axes.plot(days, values, color=colour, linestyle=dashes, label=label, linewidth=2.2, clip_on=False, zorder=3)
        axes.set(title=title, xlabel="days", ylabel=unit or results[0].currency, xlim=(0, until / 24), ylim=(0, None))
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        drawn.append(folder / f"thawing-{name}.svg")
        figure.savefig(drawn[-1], metadata={"Date": None})
        pyplot.close(figure)
    return drawn
