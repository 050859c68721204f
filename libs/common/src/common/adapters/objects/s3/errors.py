"""One table: what S3 answers → what Backfill calls it. A 403 has many meanings, told apart by code only."""

from __future__ import annotations

from common.adapters.objects.answers import Answer
from common.adapters.objects.table import error_in
from common.errors import (
    AccessDenied,
    BackfillError,
    Changed,
    Immutable,
    NameNotAllowed,
    NoCapacity,
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
    "GlacierExpeditedRetrievalNotAvailable": NoCapacity,
    "InternalError": StoreUnavailable,
    "OperationAborted": StoreUnavailable,
    "ConditionalRequestConflict": StoreUnavailable,  # two conditional writes met; one of them won
    "RequestTimeout": StoreUnavailable,  # a 400 that blames the network
    "RequestTimeTooSkewed": StoreUnavailable,  # until the clock is set right
    "ExpiredToken": StoreUnavailable,  # the credential chain renews it
    "ExpiredTokenException": StoreUnavailable,
    "BadDigest": StoreUnavailable,  # the bytes were harmed on their way
    "MalformedXML": StoreUnavailable,  # so was the request: the SDK writes no other
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


def error_for(answer: Answer, *, what: str, writing: bool = False) -> BackfillError:
    """Total: every answer has a class. `what` says what was tried, without secrets."""
    return error_in(TABLE, answer, what=what, writing=writing)
