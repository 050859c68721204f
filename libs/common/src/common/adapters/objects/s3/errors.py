"""One table: what S3 answers → what Backfill calls it. A 403 has many meanings, told apart by code only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.exceptions as boto
from obstore.exceptions import BaseError as ObstoreError

from common.adapters.objects.obstore_answers import Answer, answer_of
from common.adapters.objects.table import error_in
from common.errors import (
    AccessDenied,
    BackfillError,
    Changed,
    Immutable,
    NameNotAllowed,
    NotFound,
    NotRestored,
    RefusedByStore,
    StoreUnavailable,
    Throttled,
)

TABLE: dict[str | int, type[BackfillError]] = {
    "NoSuchKey": NotFound,
    "NoSuchBucket": NotFound,
    "NoSuchVersion": NotFound,
    "NoSuchUpload": NotFound,
    "InvalidPart": NotFound,  # a part of the commit is not there (any more)
    "AccessDenied": AccessDenied,
    "AllAccessDisabled": AccessDenied,
    "AccountProblem": AccessDenied,
    "InvalidAccessKeyId": AccessDenied,
    "InvalidToken": AccessDenied,
    "SignatureDoesNotMatch": AccessDenied,
    "KMS.DisabledException": AccessDenied,
    "InvalidObjectState": NotRestored,
    "ObjectNotInActiveTierError": NotRestored,
    "PreconditionFailed": Changed,
    "KeyTooLongError": NameNotAllowed,
    "InvalidURI": NameNotAllowed,
    "ObjectLocked": Immutable,
    "SlowDown": Throttled,
    "ServiceUnavailable": Throttled,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "RequestLimitExceeded": Throttled,
    "TooManyRequests": Throttled,
    "BandwidthLimitExceeded": Throttled,
    "GlacierExpeditedRetrievalNotAvailable": Throttled,
    "InternalError": StoreUnavailable,
    "OperationAborted": StoreUnavailable,
    "ConditionalRequestConflict": StoreUnavailable,  # two conditional writes met; one of them won
    "RequestTimeout": StoreUnavailable,  # a 400 that blames the network
    "RequestTimeTooSkewed": StoreUnavailable,  # until the clock is set right
    "ExpiredToken": StoreUnavailable,  # the credential chain renews it
    "ExpiredTokenException": StoreUnavailable,
    "BadDigest": StoreUnavailable,  # the bytes were harmed on their way
    "IncompleteBody": StoreUnavailable,
    301: RefusedByStore,
    400: RefusedByStore,
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    405: RefusedByStore,
    408: StoreUnavailable,
    409: StoreUnavailable,
    412: Changed,
    416: RefusedByStore,
    429: Throttled,
    500: StoreUnavailable,
    501: RefusedByStore,
    502: StoreUnavailable,
    503: Throttled,
    504: StoreUnavailable,
}
"""Code, or status where the code is not named here."""

_BODY_CUT = (boto.IncompleteReadError, boto.ResponseStreamingError)


def error_for(answer: Answer, *, what: str, writing: bool = False) -> BackfillError:
    """Total: every answer has a class. `what` says what was tried, without secrets."""
    return error_in(TABLE, answer, what=what, writing=writing)


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
    """No exception of botocore or obstore gets out of this."""
    try:
        yield
    except (boto.BotoCoreError, boto.ClientError) as problem:
        raise error_for(boto_answer(problem), what=what, writing=writing) from None
    except (ObstoreError, FileNotFoundError) as problem:
        raise error_for(answer_of(problem), what=what, writing=writing) from None


def translated_pages(pages: Iterable[Any], what: str) -> Iterator[Any]:
    """The pages of a list; only what the store raises is translated, not what the reader of a page does."""
    source = iter(pages)
    while True:
        with translated(what):
            page = next(source, None)
        if page is None:
            return
        yield page
