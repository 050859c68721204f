"""Where a step's parallel calls run: threads in production, one after the other in a simulation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

T = TypeVar("T")

Pools = Callable[..., Executor]
"""Makes an executor as ThreadPoolExecutor does: called with `max_workers` and, maybe, `thread_name_prefix`."""


class InTurn(Executor):
    """Runs every call at once, in the caller's thread. What is no Exception goes through to the caller."""

    def __init__(self, max_workers: int = 1, thread_name_prefix: str = "") -> None:
        """The same arguments as ThreadPoolExecutor's; they change nothing."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
