"""Requests to a store of one provider, whose refusals are called as the provider's table has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from common.adapters.objects.answers import Answer
from common.adapters.objects.wire.body import Incoming
from common.adapters.objects.wire.refusal import Refusal
from common.adapters.objects.wire.wire import MOST_SAID, Blocks, Told, Wire
from common.errors import BackfillError, TransientError
from common.records import record

if TYPE_CHECKING:
    from common.adapters.objects.wire.several import Several

S = TypeVar("S")
T = TypeVar("T")


class ErrorFor(Protocol):
    """The provider's table."""

    def __call__(self, answer: Answer, *, what: str, writing: bool = False) -> BackfillError: ...


class PastEnd(Exception):
    """The object ends before the range that was asked for."""


@record
class Asking:
    """As `Wire`, but raises the provider's errors; `what` says what is tried, without secrets. Never retries."""

    wire: Wire
    error_for: ErrorFor

    def ask(
        self,
        what: str,
        method: str,
        target: str,
        data: bytes | memoryview | None = None,
        *,
        headers: Mapping[str, str],
        writing: bool = False,
        twice: bool = True,
        most: int = MOST_SAID,
    ) -> Told:
        """`writing`: a condition that fails means that something has the name already."""
        try:
            return self.wire.ask(method, target, data, headers=headers, twice=twice, most=most)
        except Refusal as refusal:
            raise self.error_for(refusal.answer, what=what, writing=writing) from None

    def fetch(
        self, what: str, target: str, into: memoryview, *, headers: Mapping[str, str]
    ) -> tuple[dict[str, str], int | None]:
        try:
            return self.wire.fetch(target, into, headers=headers)
        except Refusal as refusal:
            raise self.error_for(refusal.answer, what=what) from None

    def several(
        self,
        take: Callable[[Incoming, S], T],
        *,
        at_once: int,
        going_on: Callable[[], bool],
        writing: bool = False,
    ) -> Several[S, T]:
        """Requests that are under way at the same time; their refusals are the caller's to call by name."""
        # Imported here: who asks for one thing at a time has no need of it.
        from common.adapters.objects.wire.several import Several

        def passes(refusal: Refusal) -> bool:
            return isinstance(self.error_for(refusal.answer, what="", writing=writing), TransientError)

        return Several(self.wire, take, at_once=at_once, going_on=going_on, passes=passes)

    def read_into(
        self, what: str, target: str, into: memoryview, *, first: int, headers: Mapping[str, str]
    ) -> tuple[dict[str, str], int]:
        """Raises PastEnd too."""
        try:
            return self.wire.read_into(target, into, first=first, headers=headers)
        except Refusal as refusal:
            raise self._read_error(refusal, what) from None

    def open(
        self, what: str, target: str, *, first: int, end: int | None, headers: Mapping[str, str]
    ) -> tuple[dict[str, str], int, Blocks]:
        """Raises PastEnd too. The blocks raise Refusal."""
        try:
            return self.wire.open(target, first=first, end=end, headers=headers)
        except Refusal as refusal:
            raise self._read_error(refusal, what) from None

    def _read_error(self, refusal: Refusal, what: str) -> Exception:
        return PastEnd() if refusal.answer.status == 416 else self.error_for(refusal.answer, what=what)
