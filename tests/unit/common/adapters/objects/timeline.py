"""A clock that only sleeping moves."""

from __future__ import annotations


class Timeline:
    """Seconds since the test began."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
