"""Every row of every adapter's error table, and what is in no row."""

from __future__ import annotations

import errno

import pytest
from azure.core.exceptions import IncompleteReadError, ServiceRequestError, ServiceResponseError
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from common.adapters.objects.answers import Answer
from common.adapters.objects.azure import errors as azure_errors
from common.adapters.objects.azure import sdk_errors
from common.adapters.objects.local import errors as local_errors
from common.adapters.objects.s3 import boto_errors
from common.adapters.objects.s3 import errors as s3_errors
from common.errors import (
    AccessDenied,
    AlreadyExists,
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
    TruncatedBody,
)

S3 = {
    NotFound: "NoSuchKey NoSuchBucket NoSuchVersion NoSuchUpload InvalidPart 404",
    AccessDenied: "AccessDenied AllAccessDisabled AccountProblem InvalidAccessKeyId InvalidToken"
    " SignatureDoesNotMatch KMS.DisabledException 401 403",
    NotRestored: "InvalidObjectState ObjectNotInActiveTierError",
    Changed: "PreconditionFailed 412",
    NameNotAllowed: "KeyTooLongError InvalidURI",
    Immutable: "ObjectLocked",
    Throttled: "SlowDown Throttling ThrottlingException RequestLimitExceeded TooManyRequests"
    " BandwidthLimitExceeded ServiceUnavailable 429 503",
    NoCapacity: "GlacierExpeditedRetrievalNotAvailable",
    StoreUnavailable: "InternalError OperationAborted ConditionalRequestConflict RequestTimeout"
    " RequestTimeTooSkewed ExpiredToken ExpiredTokenException BadDigest MalformedXML IncompleteBody"
    " 408 409 500 502 504",
    RefusedByStore: "301 400 405 416 501",
}
AZURE = {
    NotFound: "BlobNotFound ContainerNotFound ResourceNotFound InvalidBlockList 404",
    AlreadyExists: "BlobAlreadyExists ResourceAlreadyExists UnauthorizedBlobOverwrite",
    Changed: "ConditionNotMet TargetConditionNotMet 412",
    NotRestored: "BlobArchived BlobBeingRehydrated",
    Immutable: "BlobImmutableDueToPolicy BlobImmutableDueToLegalHold",
    AccessDenied: "AuthenticationFailed AuthorizationFailure AuthorizationPermissionMismatch"
    " AuthorizationProtocolMismatch AuthorizationResourceTypeMismatch AuthorizationServiceMismatch"
    " AuthorizationSourceIPMismatch AccountIsDisabled InsufficientAccountPermissions InvalidAuthenticationInfo"
    " NoAuthenticationInformation PublicAccessNotPermitted 401 403",
    NameNotAllowed: "InvalidResourceName InvalidUri",
    Throttled: "ServerBusy 429 503",
    StoreUnavailable: "InternalError OperationTimedOut ContainerBeingDeleted AccountBeingCreated Md5Mismatch"
    " InvalidXmlDocument"
    " Crc64Mismatch 408 500 502 504",
    RefusedByStore: "LeaseIdMissing 400 405 409 416 501",
}


def rows(table: dict[type[BackfillError], str]) -> dict[str, type[BackfillError]]:
    return {name: kind for kind, names in table.items() for name in names.split()}


@pytest.mark.parametrize(("errors", "expected"), [(s3_errors, rows(S3)), (azure_errors, rows(AZURE))])
def test_the_table_says_what_it_should_and_every_row_is_reached(errors, expected) -> None:
    assert {str(name): kind for name, kind in errors.TABLE.items()} == expected
    for name, kind in expected.items():
        # A code decides whatever the status; a status decides where the code is unknown.
        answer = Answer(int(name), "Unheard") if name.isdigit() else Answer(403, name)
        assert type(errors.error_for(answer, what="w")) is kind, name


@pytest.mark.parametrize("errors", [s3_errors, azure_errors])
def test_every_status_has_a_class(errors) -> None:
    for status in [None, *range(200, 600)]:
        assert isinstance(errors.error_for(Answer(status, "Unheard"), what="w"), BackfillError)
    assert type(errors.error_for(Answer(599), what="w")) is StoreUnavailable


@pytest.mark.parametrize("errors", [s3_errors, azure_errors])
def test_a_success_that_cannot_be_read_may_work_later(errors) -> None:
    assert type(errors.error_for(Answer(200), what="w")) is StoreUnavailable
    assert type(errors.error_for(Answer(418), what="w")) is RefusedByStore
    assert type(errors.error_for(Answer(None), what="w")) is StoreUnavailable
    assert type(errors.error_for(Answer(None, cut=True), what="w")) is TruncatedBody


@pytest.mark.parametrize("errors", [s3_errors, azure_errors])
def test_a_condition_that_fails_a_write_means_an_object_is_there(errors) -> None:
    assert type(errors.error_for(Answer(412), what="creating k", writing=True)) is AlreadyExists


def test_retry_after_is_handed_on() -> None:
    slow = ClientError(
        {
            "Error": {"Code": "SlowDown"},
            "ResponseMetadata": {"HTTPStatusCode": 503, "HTTPHeaders": {"retry-after": "7"}},
        },
        "PutObject",
    )

    error = s3_errors.error_for(boto_errors.boto_answer(slow), what="creating k")

    assert (type(error), error.retry_after, str(error)) == (Throttled, 7.0, "creating k: HTTP 503 SlowDown")


def test_an_error_inside_a_200_is_the_servers_fault() -> None:
    inside = ClientError(
        {"Error": {"Code": "Unheard"}, "ResponseMetadata": {"HTTPStatusCode": 200}}, "CompleteMultipartUpload"
    )

    assert boto_errors.boto_answer(inside) == Answer(500, "Unheard")


@pytest.mark.parametrize(
    "problem",
    [
        ConnectTimeoutError(endpoint_url="http://u:secret@h"),
        ReadTimeoutError(endpoint_url="http://u:secret@h"),
        EndpointConnectionError(endpoint_url="http://u:secret@h"),
        NoCredentialsError(),
    ],
)
def test_a_network_problem_is_unavailable_and_keeps_addresses_to_itself(problem: Exception) -> None:
    with pytest.raises(StoreUnavailable) as raised, boto_errors.translated("reading k"):
        raise problem

    assert (str(raised.value), raised.value.__cause__) == ("reading k: no answer", None)


@pytest.mark.parametrize("problem", [ServiceRequestError("sig=secret"), ServiceResponseError("sig=secret")])
def test_an_azure_network_problem_is_unavailable(problem: Exception) -> None:
    with pytest.raises(StoreUnavailable) as raised, sdk_errors.translated("reading k"):
        raise problem

    assert "secret" not in str(raised.value)


def test_a_body_that_broke_off_is_truncated() -> None:
    with pytest.raises(TruncatedBody), boto_errors.translated("reading k"):
        raise ResponseStreamingError(error="x")
    with pytest.raises(TruncatedBody), sdk_errors.translated("reading k"):
        raise IncompleteReadError("x")


@pytest.mark.parametrize(
    ("number", "kind"),
    [*local_errors.TABLE.items(), (errno.EXDEV, RefusedByStore)],
)
def test_an_operating_system_error_has_its_class_and_no_path(number: int, kind: type[BackfillError]) -> None:
    with pytest.raises(kind) as raised, local_errors.translated("key"):
        raise OSError(number, "words", "/srv/secret/path")

    assert (type(raised.value), str(raised.value)) == (kind, "key: words")
