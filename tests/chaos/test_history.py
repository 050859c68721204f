"""The history of answers notices what contradicts itself, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.history import Call, History


def read(at: float, status: str, *events: str, ingest: str = "one") -> Call:
    return Call(at, at + 0.5, "read ingest", "space/bag v1", ingest=ingest, status=status, events=events)


def ask(at: float, ingest: str, status: str = "accepted", **more: Any) -> Call:
    return Call(at, at + 0.5, "ask", "space/bag v1", ingest=ingest, status=status, **more)


def bag(at: float, *locations: str) -> Call:
    return Call(at, at + 0.5, "read bag", "space/bag v1", locations=frozenset(locations))


def test_an_ordinary_life_has_no_contradictions() -> None:
    calls = [
        ask(0, "one", created=True),
        read(1, "accepted"),
        ask(2, "one", "processing"),
        read(3, "processing", "Planning started"),
        read(4, "failed", "Planning started", "Planning failed"),
        ask(5, "two", created=True),
        read(6, "succeeded", ingest="two"),
        read(7, "failed", "Planning started", "Planning failed"),
        bag(8, "cold", "azure"),
        bag(9, "cold", "azure"),
    ]

    assert History(calls).contradictions() == []


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        ([read(0, "succeeded"), read(1, "failed")], "ingest one: was succeeded, then failed"),
        ([read(0, "processing"), read(1, "accepted")], "ingest one: was processing, then accepted"),
        ([read(0, "failed"), read(1, "processing")], "ingest one: was failed, then processing"),
        (
            [read(0, "processing", "a", "b"), read(1, "processing", "a")],
            "ingest one: its history lost or changed events: ('a', 'b') became ('a',)",
        ),
        ([bag(0, "cold", "azure"), bag(1, "cold")], "bag space/bag v1: its record no longer names azure"),
        (
            [ask(0, "one"), ask(1, "two"), read(2, "processing")],
            "bag space/bag v1: ingest two was begun while one was processing",
        ),
    ],
)
def test_a_contradiction_is_told(calls: list[Call], told: str) -> None:
    assert History(calls).contradictions() == [told]


def test_of_calls_at_the_same_time_nothing_is_concluded() -> None:
    slow = Call(0, 10, "read ingest", "space/bag v1", ingest="one", status="accepted")

    assert History([read(1, "succeeded"), slow]).contradictions() == []
