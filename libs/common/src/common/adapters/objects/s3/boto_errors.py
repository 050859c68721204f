"""What boto3 raises → our errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.exceptions as boto

from common.adapters.objects.answers import Answer
from common.adapters.objects.s3.errors import error_for

_BODY_CUT = (boto.IncompleteReadError, boto.ResponseStreamingError)


def boto_answer(error: Exception) -> Answer:
    """Read a botocore exception."""
    if isinstance(error, boto.ClientError):
        meta = error.response.get("ResponseMetadata", {})
        code = str(error.response.get("Error", {}).get("Code", "")) or None
        # A status of 200 with an error inside (CompleteMultipartUpload) is a failure of the server.
        status = int(meta.get("HTTPStatusCode", 500))
        after = str(meta.get("HTTPHeaders", {}).get("retry-after", ""))
        return Answer(500 if status < 300 else status, code, float(after) if after.isdigit() else None)
    if isinstance(error, (boto.NoCredentialsError, boto.CredentialRetrievalError)):
        return Answer(None)
    if isinstance(error, boto.ParamValidationError):
        return Answer(400, "ParamValidation")
    return Answer(None, cut=isinstance(error, _BODY_CUT))


@contextmanager
def translated(what: str, *, writing: bool = False) -> Iterator[None]:
    """No exception of botocore gets out of this."""
    try:
        yield
    except (boto.BotoCoreError, boto.ClientError) as problem:
        raise error_for(boto_answer(problem), what=what, writing=writing) from None


def translated_pages(pages: Iterable[Any], what: str) -> Iterator[Any]:
    """The pages of a list; only what the store raises is translated, not what the reader of a page does."""
    source = iter(pages)
    while True:
        with translated(what):
            page = next(source, None)
        if page is None:
            return
        yield page
