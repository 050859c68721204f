"""Pictures of a simulation: what is in flight, what is copied and what it has cost, over time. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from backfill_client.simulating.report import Result
from backfill_client.simulating.world import Sample

_COLOURS = ("#1b6ca8", "#c8553d", "#6a994e")
_PICTURES: tuple[tuple[str, str, str, Callable[[Sample], float]], ...] = (
    ("in-flight", "Asked for and not copied yet", "TB", lambda one: (one.waiting + one.readable) / 1e12),
    ("readable", "Readable and not copied yet", "TB", lambda one: one.readable / 1e12),
    ("copied", "Copied", "TB", lambda one: one.copied / 1e12),
    ("cost", "Spent on thawing", "", lambda one: float(one.cost)),
)


def draw(results: Sequence[Result], folder: Path) -> list[Path]:
    """One picture for each question, as SVG; returns their paths. Raises ImportError without matplotlib.

    Policies that take ten times as long as the first are cut off where the others have ended.
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
        for result, colour in zip(results, _COLOURS, strict=False):
            shown = [one for one in result.samples if one.hours <= until]
            days = [one.hours / 24 for one in shown]
            axes.plot(days, [value(one) for one in shown], color=colour, label=result.policy, linewidth=1.8)
        axes.set(title=title, xlabel="days", ylabel=unit or results[0].currency, xlim=(0, until / 24), ylim=(0, None))
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        drawn.append(folder / f"thawing-{name}.svg")
        figure.savefig(drawn[-1], metadata={"Date": None})
        pyplot.close(figure)
    return drawn
