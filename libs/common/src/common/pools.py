"""Where a step's parallel calls run: threads in production, one after the other in a simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from typing import Any, TypeVar

from common.processors import Inside

S = TypeVar("S")
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


def in_parallel(
    act: Callable[[S], T],
    items: Sequence[S],
    *,
    pools: Pools,
    workers: int,
    name: str = "",
    inside: Inside = nullcontext,
) -> list[T]:
    """What `act` returns for each item, in their order; `workers` at a time, each of them `inside` what is given.

    After an error no further item is begun; when those under way have ended, the error of the first item is raised.
    Each worker takes one item after the other: handing over thousands one by one costs more than copying them.
    """
    done: dict[int, T] = {}
    failed: dict[int, BaseException] = {}
    places = iter(range(len(items)))

    def work() -> None:
        with inside():
            for place in places:
                if failed:
                    return
                try:
                    done[place] = act(items[place])
                except BaseException as error:
                    failed[place] = error
                    raise

    with pools(max_workers=workers, thread_name_prefix=name) as pool:
        for _ in range(min(workers, len(items))):
            pool.submit(work)
    if failed:
        raise failed[min(failed)]
    return [done[place] for place in range(len(items))]
