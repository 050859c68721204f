"""A body that is opened again where it broke off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from common.adapters.objects.wrappers.patience import Patience
from common.errors import TransientError
from common.ports import Body, ObjectInfo

OpenFrom = Callable[[int, str | None], AbstractContextManager[Body]]
"""Opens the body without its first so many bytes, if its etag is the one given."""


@contextmanager
def resumed_body(open_from: OpenFrom, *, patiently: Patience, if_match: str | None) -> Iterator[Body]:
    with ExitStack() as stack:
        body = _ResumedBody(open_from, patiently, stack)
        patiently(lambda: body.reopen(0, if_match))
        yield body


class _ResumedBody:
    """Counts what it has given out, so that a new attempt goes on after it."""

    def __init__(self, open_from: OpenFrom, patiently: Patience, stack: ExitStack) -> None:
        self._open_from = open_from
        self._patiently = patiently
        self._stack = stack
        self._blocks: Iterator[bytes | memoryview] | None = None
        self._info: ObjectInfo | None = None

    @property
    def info(self) -> ObjectInfo:
        if self._info is None:
            raise ValueError("the body was not opened")
        return self._info

    def reopen(self, skip: int, etag: str | None) -> None:
        self._blocks = None
        self._stack.close()
        inner = self._stack.enter_context(self._open_from(skip, etag))
        self._info = self._info or inner.info
        self._blocks = iter(inner)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        given = 0

        def following() -> bytes | memoryview | None:
            if self._blocks is None:
                self.reopen(given, self.info.etag)
            try:
                # An empty block is no progress, and must not earn new patience.
                return next((block for block in self._blocks or () if len(block)), None)
            except TransientError:
                self._blocks = None
                raise

        while (block := self._patiently(following)) is not None:
            given += len(block)
            yield block
