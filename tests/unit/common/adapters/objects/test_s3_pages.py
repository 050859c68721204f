"""A page of ListObjectsV2, as S3 and its look-alikes write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from common.adapters.objects.s3.listing import Page, read_page
from common.errors import StoreUnavailable
from common.ports import ObjectInfo, RestoreStatus

DAY = datetime(2026, 1, 1, tzinfo=UTC)
_SPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_FIRST = "<Key>b%2F1+a%C3%A9</Key><Size>3</Size><ETag>&quot;abc&quot;</ETag><StorageClass>STANDARD</StorageClass>"
_FROZEN = (
    "<Key>b2</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>x</ETag><Size>5</Size>"
    "<StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
    "<RestoreExpiryDate>2026-01-01T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>"
)


def page(*contents: str, more: str = "", space: str = _SPACE) -> bytes:
    listed = "".join(f"<Contents>{each}</Contents>" for each in contents)
    inner = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated><EncodingType>url</EncodingType>{more}{listed}"
    return f"<?xml version='1.0'?><ListBucketResult {space}>{inner}</ListBucketResult>".encode()


@pytest.mark.parametrize("space", [_SPACE, ""])
def test_objects_are_told_as_they_are(space: str) -> None:
    read = read_page(
        page(_FIRST, _FROZEN, more="<NextContinuationToken>t</NextContinuationToken>", space=space), what=""
    )

    assert read == Page(
        [
            ObjectInfo(key="b/1 aé", size=3, etag="abc"),
            ObjectInfo(
                key="b2",
                size=5,
                etag="x",
                storage_class="GLACIER",
                restore=RestoreStatus(False, DAY),
                last_modified=DAY,
            ),
        ],
        "t",
    )


def test_dates_of_http_are_understood() -> None:
    dated = _FIRST + "<LastModified>Thu, 01 Jan 2026 01:00:00 +0100</LastModified>"

    assert read_page(page(dated), what="").infos[0].last_modified == DAY


@pytest.mark.parametrize(
    "body",
    [
        b"",
        page(_FIRST)[:-9],
        page("<Key>a</Key><Size>1</Size>"),
        page("<Key>a</Key><Size>-</Size><ETag>x</ETag>"),
        page(_FIRST.replace("%C3", "")),
        page(_FIRST, more="<NextContinuationToken/>"),
        b"<Error><Code>InternalError</Code></Error>",
        page(_FIRST).replace(b"?>", b'?><!DOCTYPE a [<!ENTITY b "c">]>', 1),
    ],
    ids=["empty", "cut", "no ETag", "no size", "no UTF-8", "no way on", "an error", "entities"],
)
def test_what_is_no_page_is_never_taken_for_one(body: bytes) -> None:
    with pytest.raises(StoreUnavailable, match=r"^listing 'b/': the store's list cannot be read"):
        read_page(body, what="listing 'b/'")
