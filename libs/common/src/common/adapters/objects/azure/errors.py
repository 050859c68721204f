"""One table: what Azure Blob Storage answers → what Backfill calls it. A 409 has many meanings, told apart by code."""

from __future__ import annotations

from common.adapters.objects.answers import Answer
from common.adapters.objects.table import error_in
from common.errors import (
    AccessDenied,
    AlreadyExists,
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
    "BlobNotFound": NotFound,
    "ContainerNotFound": NotFound,
    "ResourceNotFound": NotFound,
    "InvalidBlockList": NotFound,  # a block of the commit is not there (any more)
    "BlobAlreadyExists": AlreadyExists,
    "ResourceAlreadyExists": AlreadyExists,
    "UnauthorizedBlobOverwrite": AlreadyExists,  # the token may create, and there is a blob
    "ConditionNotMet": Changed,
    "TargetConditionNotMet": Changed,
    "BlobArchived": NotRestored,
    "BlobBeingRehydrated": NotRestored,
    "BlobImmutableDueToPolicy": Immutable,
    "BlobImmutableDueToLegalHold": Immutable,
    "AuthenticationFailed": AccessDenied,
    "AuthorizationFailure": AccessDenied,
    "AuthorizationPermissionMismatch": AccessDenied,
    "AuthorizationProtocolMismatch": AccessDenied,
    "AuthorizationResourceTypeMismatch": AccessDenied,
    "AuthorizationServiceMismatch": AccessDenied,
    "AuthorizationSourceIPMismatch": AccessDenied,
    "AccountIsDisabled": AccessDenied,
    "InsufficientAccountPermissions": AccessDenied,
    "InvalidAuthenticationInfo": AccessDenied,
    "NoAuthenticationInformation": AccessDenied,
    "PublicAccessNotPermitted": AccessDenied,
    "InvalidResourceName": NameNotAllowed,
    "InvalidUri": NameNotAllowed,
    "ServerBusy": Throttled,
    "InternalError": StoreUnavailable,
    "OperationTimedOut": StoreUnavailable,
    "ContainerBeingDeleted": StoreUnavailable,
    "AccountBeingCreated": StoreUnavailable,
    "Md5Mismatch": StoreUnavailable,  # the bytes were harmed on their way
    "InvalidXmlDocument": StoreUnavailable,  # so was the request: the SDK writes no other
    "Crc64Mismatch": StoreUnavailable,
    "LeaseIdMissing": RefusedByStore,  # a 412, and no condition of ours
    400: RefusedByStore,
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    405: RefusedByStore,
    408: StoreUnavailable,
    409: RefusedByStore,
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
