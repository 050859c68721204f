"""What a run was and what came of it, as lines for people and as JSON for the artefacts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Report:
    """Everything that is told at the end. Times in seconds."""

    seed: int
    broker: str
    seconds: float
    struck: dict[str, int] = field(default_factory=dict)
    spared: int = 0
    faults: dict[str, dict[str, int]] = field(default_factory=dict)
    """By line ("source", "destination") and fault."""
    bags: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    """Ingests by end: succeeded, or the error's code."""
    imports: int = 0
    taken_over: int = 0
    """Claims that a worker lost by dying or by sleeping, as the histories tell it."""
    asked: int = 0
    unanswered: int = 0
    to_quiescence: float | None = None
    removed: int = 0
    """Wrong copies of failed ingests that the operator removed."""
    violations: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """Of the harness itself; a run with any proves nothing."""

    @property
    def good(self) -> bool:
        return not self.violations and not self.troubles and self.to_quiescence is not None

    def write(self, directory: Path) -> None:
        """report.json"""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (directory / "report.json").write_text(text + "\n", encoding="utf-8")

    def lines(self) -> Iterator[str]:
        yield f"chaos: {self.seconds:.0f} s over {self.broker}, seed {self.seed}"
        yield from _table("struck", self.struck)
        yield f"  {self.spared} blows found nobody who had begun to work, and spared"
        for line, faults in self.faults.items():
            yield from _table(f"faults before the {line}", faults)
        yield from _table(f"ingests of {self.bags} bags, by end", self.ends)
        yield f"  {self.imports} imports, {self.taken_over} rows taken over from workers that stopped answering"
        yield f"  {self.asked} answers by the API, {self.unanswered} calls without one"
        rest = "NOT within the bound" if self.to_quiescence is None else f"{self.to_quiescence:.1f} s"
        yield f"calm: at rest after {rest}; {self.removed} wrong copies of failed ingests removed by the operator"
        yield from (f"TROUBLE {trouble}" for trouble in self.troubles)
        yield from (f"VIOLATION {violation}" for violation in self.violations)
        yield f"{len(self.violations)} violations"


def _table(title: str, counts: dict[str, int]) -> Iterator[str]:
    yield f"{title}: {sum(counts.values())}"
    for name, number in Counter(counts).most_common():
        yield f"  {number:6}  {name}"
