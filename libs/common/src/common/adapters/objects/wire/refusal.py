"""What a store says instead of what was hoped for."""

from __future__ import annotations

from common.adapters.objects.answers import Answer


class Refusal(Exception):
    """The store answered otherwise than was hoped, or not at all."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer))
        self.answer = answer
