"""Objects in S3 over HTTP: what its answers mean."""

from __future__ import annotations

import pytest

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.s3.client import Connection
from common.adapters.objects.s3.direct import Direct
from common.adapters.objects.s3.errors import error_for
from common.adapters.objects.s3.signing import Credentials, Signer
from common.adapters.objects.wire import Asking, Wire
from common.domain.location import Provider
from common.errors import AlreadyExists, StoreUnavailable
from common.ports import ObjectInfo, PartReceipt
from unit.common.adapters.objects.test_wire import serving

PARTS = [PartReceipt(1, 5, "one"), PartReceipt(2, 3, "t<o")]


def answering(said: bytes, *, status: int = 200, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s" % (status, headers, len(said), said)


def direct(address: str) -> Direct:
    return Direct(
        Asking(Wire.to(f"http://{address}"), error_for), "/b/", Signer("r", lambda: Credentials("id", "secret"))
    )


def test_a_commit_names_its_parts_in_order_and_tells_what_it_made() -> None:
    done = b"<CompleteMultipartUploadResult><ETag>&quot;e-2&quot;</ETag></CompleteMultipartUploadResult>"
    with serving(answering(done, headers=b"x-amz-version-id: v\r\n")) as server:
        made = direct(server.address).commit("k", "id", PARTS)

    assert made == ObjectInfo(key="k", size=8, etag="e-2", version_id="v")
    assert b"If-None-Match: *\r\n" in server.asked[0]
    assert server.asked[0].endswith(
        b"<Part><PartNumber>1</PartNumber><ETag>&quot;one&quot;</ETag></Part>"
        b"<Part><PartNumber>2</PartNumber><ETag>&quot;t&lt;o&quot;</ETag></Part></CompleteMultipartUpload>"
    )


def test_a_commit_that_fails_after_it_said_200_has_failed() -> None:
    said = b'<?xml version="1.0"?>\n\n  <Error><Code>InternalError</Code><Message>again</Message></Error>'
    with serving(answering(said)) as server, pytest.raises(StoreUnavailable, match="committing k: HTTP 500 Internal"):
        direct(server.address).commit("k", "id", PARTS)


@pytest.mark.parametrize("said", [b"", b"<html>a captive portal</html>"])
def test_a_200_that_is_no_answer_of_s3_is_a_failure(said: bytes) -> None:
    with serving(answering(said), answering(said), answering(said)) as server:
        with pytest.raises(StoreUnavailable):
            direct(server.address).commit("k", "id", PARTS)
        with pytest.raises(StoreUnavailable):
            direct(server.address).begin("k", {})
        with pytest.raises(StoreUnavailable):
            direct(server.address).create("k", b"x", {})


def test_a_commit_that_meets_another_object_says_so() -> None:
    said = b"<Error><Code>PreconditionFailed</Code></Error>"
    with serving(answering(said, status=412)) as server, pytest.raises(AlreadyExists):
        direct(server.address).commit("k", "id", PARTS)


def test_without_keys_of_its_own_a_location_signs_with_those_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "AKID"), ("SECRET_ACCESS_KEY", "secret"), ("SESSION_TOKEN", "token")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    found = Connection(LocationConfig(id="s3", provider=Provider.AMAZON_S3, bucket="dark.archive")).direct

    assert (found.wire.origin.place.geturl(), found.path) == (
        "https://s3.eu-west-1.amazonaws.com/dark.archive",
        "/dark.archive/",
    )
    assert (found.signer.region, found.signer.credentials()) == ("eu-west-1", Credentials("AKID", "secret", "token"))
