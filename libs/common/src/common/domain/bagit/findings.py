"""The problems of one bag, counted all and kept some: a bag with a million faults must not fill the memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from common.domain.problem import Problem, Severity

KEPT_OF_EACH_CODE = 50


class Findings:
    """Gathers problems; keeps the first 50 of each code."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._counts: Counter[str] = Counter()
        self._severities: Counter[Severity] = Counter()

    def add(self, problem: Problem) -> None:
        self._counts[problem.code] += 1
        self._severities[problem.severity] += 1
        if self._counts[problem.code] <= KEPT_OF_EACH_CODE:
            self._kept.append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those that were kept, in the order they were found."""
        return tuple(self._kept)

    @property
    def counts(self) -> dict[str, int]:
        """How many there were of each code, the ones that were not kept included."""
        return dict(self._counts)

    @property
    def errors(self) -> int:
        return self._severities[Severity.ERROR]

    @property
    def warnings(self) -> int:
        return self._severities[Severity.WARNING]

    @property
    def rejected(self) -> bool:
        """True where at least one problem is an error: the bag must not be copied."""
        return self.errors > 0

    def codes(self, severity: Severity) -> frozenset[str]:
        return frozenset(problem.code for problem in self._kept if problem.severity is severity)
