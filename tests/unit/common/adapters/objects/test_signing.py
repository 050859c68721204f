"""Our signatures are those of the SDKs, which take longer to start."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotoCredentials

from common.adapters.objects.azure.direct import signed_access
from common.adapters.objects.s3.signing import Credentials, Signer
from common.adapters.objects.wire import Wire

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
def test_a_request_has_the_signature_that_botocore_gives_it(
    key: str, place: str, method: str, token: str | None
) -> None:
    query, headers = REQUESTS[method]
    theirs = AWSRequest(method=method, url=f"{place}/{quote(key, safe='/~')}", params=query, headers=headers)
    theirs.context["client_config"] = Config(s3={"payload_signing_enabled": False})
    S3SigV4Auth(BotoCredentials("AKID", SECRET, token), "s3", "eu-west-1").add_auth(theirs)
    signed_at = datetime.strptime(theirs.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(signed_at - datetime.now(UTC)) < timedelta(minutes=1)

    told = "&".join(f"{name}={quote(value, safe='~')}" for name, value in sorted(query.items()))
    target = quote(f"{urlsplit(place).path}/{key}", safe="/~") + (f"?{told}" if told else "")
    signer = Signer("eu-west-1", lambda: Credentials("AKID", SECRET, token), clock=signed_at.timestamp)
    ours = signer.signed(method, target, host=Wire.to(place).origin.host, headers=headers)

    assert _lowered(ours) == _lowered(theirs.headers)


def test_a_containers_access_is_what_the_sdk_gives() -> None:
    key, until = b64encode(b"k" * 64).decode(), datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    theirs = generate_container_sas(
        "account",
        "replicas",
        account_key=key,
        permission=ContainerSasPermissions(read=True, write=True, create=True, list=True),
        expiry=until,
    )

    protocol = dict(parse_qsl(theirs))["sv"]
    ours = signed_access("account", "replicas", account_key=key, until=until, protocol=protocol)

    assert sorted(parse_qsl(ours)) == sorted(parse_qsl(theirs))


def test_credentials_do_not_show_what_is_secret() -> None:
    assert SECRET not in repr(Credentials("AKID", SECRET, "token"))
    assert "token'" not in repr(Credentials("AKID", SECRET, "token'"))


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
