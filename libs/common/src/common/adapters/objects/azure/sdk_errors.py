"""What azure-storage-blob raises → our errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import azure.core.exceptions as azure

from common.adapters.objects.answers import Answer
from common.adapters.objects.azure.errors import error_for


def sdk_answer(error: azure.AzureError) -> Answer:
    """Read an exception of azure-core."""
    if isinstance(error, azure.HttpResponseError) and error.status_code:
        code = getattr(error, "error_code", None)
        headers = getattr(error.response, "headers", None) or {}
        after = str(headers.get("retry-after", ""))
        name = str(getattr(code, "value", code)) if code else headers.get("x-ms-error-code")
        return Answer(error.status_code, name, float(after) if after.isdigit() else None)
    return Answer(None, cut=isinstance(error, azure.IncompleteReadError))


@contextmanager
def translated(what: str, *, writing: bool = False) -> Iterator[None]:
    """No exception of azure-core gets out of this."""
    try:
        yield
    except azure.AzureError as problem:
        raise error_for(sdk_answer(problem), what=what, writing=writing) from None


def translated_steps(steps: Iterable[Any], what: str) -> Iterator[Any]:
    """The items of a list or stream; only what the store raises is translated, not what their reader does."""
    source = iter(steps)
    while True:
        with translated(what):
            step = next(source, None)
        if step is None:
            return
        yield step
