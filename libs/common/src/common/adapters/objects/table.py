"""From a provider's table to our errors: the one rule that all tables share."""

from __future__ import annotations

from collections.abc import Mapping

from common.adapters.objects.answers import Answer
from common.errors import (
    AlreadyExists,
    BackfillError,
    Changed,
    RefusedByStore,
    StoreUnavailable,
    Throttled,
    TruncatedBody,
)

Table = Mapping[str | int, type[BackfillError]]
"""Code, or status where the code is not named, → what Backfill calls it."""


def error_in(table: Table, answer: Answer, *, what: str, writing: bool = False) -> BackfillError:
    """Total: every answer has a class. `what` says what was tried, without secrets."""
    kind = _kind(table, answer)
    if writing and kind is Changed:
        kind = AlreadyExists  # the only condition we set on a write is "nothing has the key"
    message = f"{what}: {answer}"
    return Throttled(message, retry_after=answer.retry_after) if kind is Throttled else kind(message)


def _kind(table: Table, answer: Answer) -> type[BackfillError]:
    if answer.status is None:
        return TruncatedBody if answer.cut else StoreUnavailable
    if answer.code is not None and answer.code in table:
        return table[answer.code]
    if answer.status < 300:
        # It worked, and the SDK could not read the answer: that was harmed on its way, or a stranger's.
        return StoreUnavailable
    server_fault = StoreUnavailable if answer.status >= 500 else RefusedByStore
    return table.get(answer.status, server_fault)
