"""Our signatures are those of the SDKs, which take longer to start."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from common.adapters.objects.azure.direct import signed_access
from common.adapters.objects.s3.signing import VALID, Credentials, Signer

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = ("plain", "a/b c%é~.txt", "with+plus&and=is?or#not", "a//b/../c", "日本")
PLACES = (
    "https://bucket.s3.eu-west-1.amazonaws.com",
    "http://127.0.0.1:9000/b",
    "https://host:443/b",
    "http://[::1]:80/b",
)
REQUESTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "GET": ({"versionId": "a+/b="}, {}),
    "PUT": ({"uploadId": "x~y z", "partNumber": "10"}, {}),
    "POST": (
        {"uploads": ""},
        {"Content-Type": "image/jp2", "x-amz-meta-sha256": "ab", "x-amz-storage-class": "GLACIER"},
    ),
    "HEAD": ({}, {}),
}


@pytest.mark.parametrize("token", [None, "to/ken+=="])
@pytest.mark.parametrize("method", REQUESTS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", KEYS)
def test_an_address_has_the_signature_that_botocore_gives_it(
    key: str, place: str, method: str, token: str | None
) -> None:
    query, headers = REQUESTS[method]
    bare = f"{place}/{quote(key, safe='/')}"
    now = datetime.now(UTC)
    theirs = AWSRequest(method=method, url=bare, params=query, headers=headers)
    S3SigV4QueryAuth(BotoCredentials("AKID", SECRET, token), "s3", "eu-west-1", expires=VALID).add_auth(theirs)
    signed_at = datetime.strptime(parse_qs(urlsplit(theirs.url).query)["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ")
    assert abs(signed_at.replace(tzinfo=UTC) - now) < timedelta(minutes=1)

    signer = Signer("eu-west-1", lambda: Credentials("AKID", SECRET, token), clock=lambda: signed_at)
    ours = signer.signed(method, bare, query=query, headers=headers)

    assert _read(ours) == _read(theirs.url)


def test_a_containers_access_is_what_the_sdk_gives() -> None:
    key, until = b64encode(b"k" * 64).decode(), datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    theirs = generate_container_sas(
        "account",
        "replicas",
        account_key=key,
        permission=ContainerSasPermissions(read=True, write=True, create=True),
        expiry=until,
    )

    protocol = dict(parse_qsl(theirs))["sv"]
    ours = signed_access("account", "replicas", account_key=key, until=until, protocol=protocol)

    assert sorted(parse_qsl(ours)) == sorted(parse_qsl(theirs))


def test_credentials_do_not_show_what_is_secret() -> None:
    assert SECRET not in repr(Credentials("AKID", SECRET, "token"))
    assert "token'" not in repr(Credentials("AKID", SECRET, "token'"))


def _read(url: str) -> tuple[str, list[tuple[str, str]]]:
    return url.partition("?")[0], sorted(parse_qsl(urlsplit(url).query, keep_blank_values=True))
