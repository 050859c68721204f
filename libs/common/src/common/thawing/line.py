"""The order in which those who wait come to their turn. Pure."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from math import inf

from common.thawing.candidates import Candidate, Snapshot


class Line:
    """Hands out candidates in their order, which changes with what is taken."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._campaigns = dict(snapshot.campaigns)
        self._bags = dict(snapshot.bags)
        self._of: dict[tuple[int, str | None], dict[int, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
        for one in sorted(snapshot.waiting, key=_arrival, reverse=True):
            self._of[one.priority, one.campaign][one.bag].append(one)

    def took(self, one: Candidate) -> None:
        self._campaigns[one.campaign] = self._campaigns.get(one.campaign, 0) + one.bytes
        self._bags[one.bag] = self._bags.get(one.bag, 0) + one.bytes

    def without(self, ids: set[int]) -> Turns:
        return Turns(self._of, self._campaigns, self._bags, ids)


class Turns:
    """Every candidate once, each time the one whose turn it is."""

    def __init__(
        self,
        of: Mapping[tuple[int, str | None], dict[int, list[Candidate]]],
        campaigns: Mapping[str | None, int],
        bags: Mapping[int, int],
        skipped: set[int],
    ) -> None:
        self._campaigns, self._bags, self._skipped = campaigns, bags, skipped
        self._lines = {key: Bags(line, bags) for key, line in of.items()}
        self._heap = [self._entry(key) for key in self._lines]
        heapq.heapify(self._heap)

    def __iter__(self) -> Turns:
        return self

    def __next__(self) -> Candidate:
        while self._heap:
            entry = heapq.heappop(self._heap)
            key = entry[-1]
            if entry[1] != self._campaigns.get(key[1], 0):
                heapq.heappush(self._heap, self._entry(key))
                continue
            one = self._lines[key].pop()
            if one is None:
                continue
            heapq.heappush(self._heap, self._entry(key))
            if one.id not in self._skipped:
                return one
        raise StopIteration

    def _entry(self, key: tuple[int, str | None]) -> tuple[int, int, str, tuple[int, str | None]]:
        return (-key[0], self._campaigns.get(key[1], 0), key[1] or "", key)


class Bags:
    """The bags of one campaign, each a stack with its next one on top."""

    def __init__(self, line: Mapping[int, list[Candidate]], in_flight: Mapping[int, int]) -> None:
        self._line, self._in_flight = {bag: list(stack) for bag, stack in line.items()}, in_flight
        self._heap = [self._entry(bag) for bag in self._line]
        heapq.heapify(self._heap)

    def pop(self) -> Candidate | None:
        while self._heap:
            entry = heapq.heappop(self._heap)
            bag = entry[-1]
            if entry[0] != self._in_flight.get(bag, 0):
                heapq.heappush(self._heap, self._entry(bag))
                continue
            one = self._line[bag].pop()
            if self._line[bag]:
                heapq.heappush(self._heap, self._entry(bag))
            return one
        return None

    def _entry(self, bag: int) -> tuple[int, tuple[float, datetime, int], int]:
        return (self._in_flight.get(bag, 0), _arrival(self._line[bag][-1]), bag)


def _arrival(one: Candidate) -> tuple[float, datetime, int]:
    return (one.deadline.timestamp() if one.deadline else inf, one.since, one.id)
