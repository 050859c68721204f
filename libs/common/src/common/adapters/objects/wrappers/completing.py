"""Patience with several requests at a time: what a store stopped at is tried again, and then the rest is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from common.errors import TransientError
from common.ports import Fetched

S = TypeVar("S")
T = TypeVar("T")


def completed(
    several: Sequence[S],
    answers: list[T],
    *,
    ask: Callable[[Sequence[S]], Sequence[T]],
    again: Callable[[S], T],
) -> list[T]:
    """`answers`, which say of each that it was not asked for, with what came of it.

    Where something went wrong that may pass, one of those concerned is tried `again`, with patience; the others are
    asked for once more with the rest. When even patience did not help, or nobody is asked for any more, that is all.
    """
    left = list(range(len(several)))
    while left:
        rest, failed = list[int](), None
        for place, answer in zip(left, ask([several[place] for place in left]), strict=True):
            answers[place] = answer
            if _passes(answer) and failed is None:
                failed = place
            elif _passes(answer) or not _asked(answer):
                rest.append(place)
        if failed is None:
            return answers
        answers[failed] = again(several[failed])
        if _passes(answers[failed]):
            return answers
        left = rest
    return answers


def _passes(answer: object) -> bool:
    return isinstance(answer.answer if isinstance(answer, Fetched) else answer, TransientError)


def _asked(answer: object) -> bool:
    return answer.asked if isinstance(answer, Fetched) else answer is not None
