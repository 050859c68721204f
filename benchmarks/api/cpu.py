"""The CPU that processes have used: on a machine that does other things it says more than the clock."""

from __future__ import annotations

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def seconds_of_tree(root: int) -> float:
    """Seconds that `root` and its children have used until now, with children that have ended."""
    stats = [read for each in Path("/proc").glob("[0-9]*/stat") if (read := _read(each)) is not None]
    return sum(used for pid, parent, used in stats if root in (pid, parent))


def _read(stat: Path) -> tuple[int, int, float] | None:
    """Process, parent and seconds; None: it has ended."""
    try:
        text = stat.read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything.
    facts = text.rpartition(")")[2].split()
    own, ended = sum(map(int, facts[11:13])), sum(map(int, facts[13:15]))
    return int(stat.parent.name), int(facts[1]), (own + ended) / _TICK
