"""A page of List Blobs, as Azure and Azurite write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from common.adapters.objects.azure.listing import Page, read_page
from common.errors import StoreUnavailable
from common.ports import ObjectInfo, RestoreStatus

DAY = datetime(2026, 1, 1, tzinfo=UTC)
_HOT = (
    "<Name>b/1 &amp; é</Name><Properties><Creation-Time>Thu, 01 Jan 2026 00:00:00 GMT</Creation-Time>"
    "<Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x8DC</Etag><Content-Length>3</Content-Length>"
    "<Content-Type>text/plain</Content-Type><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier></Properties>"
)
_THAWING = (
    "<Name>b2</Name><VersionId>2026-01-01T00:00:00.0000000Z</VersionId><Properties><Etag>x</Etag>"
    "<Content-Length>5</Content-Length><AccessTier>Archive</AccessTier>"
    "<ArchiveStatus>rehydrate-pending-to-hot</ArchiveStatus></Properties>"
)
_PLAIN = "<Properties><Etag>x</Etag><Content-Length>1</Content-Length></Properties>"


def page(*blobs: str, more: str = "") -> bytes:
    listed = "".join(f"<Blob>{each}</Blob>" for each in blobs)
    inner = f"<Prefix>b</Prefix><MaxResults>1000</MaxResults><Blobs>{listed}</Blobs><NextMarker>{more}</NextMarker>"
    said = f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="c">{inner}</EnumerationResults>'
    return said.encode()


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_blobs_are_told_as_they_are(before: bytes) -> None:
    assert read_page(before + page(_HOT, _THAWING, more="m"), what="") == Page(
        [
            ObjectInfo(key="b/1 & é", size=3, etag="0x8DC", storage_class="Hot", last_modified=DAY),
            ObjectInfo(
                key="b2",
                size=5,
                etag="x",
                version_id="2026-01-01T00:00:00.0000000Z",
                storage_class="Archive",
                restore=RestoreStatus(ongoing=True),
            ),
        ],
        "m",
    )


def test_a_page_without_blobs_may_be_followed_by_one_with_some() -> None:
    assert read_page(page(more="m"), what="") == Page([], "m")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ('<Name Encoded="true">a%EF%BF%BFb%25</Name>', "a\uffffb%"),
        ('<Name Encoded="false">a%20b</Name>', "a%20b"),
        ("<Name>a%20b</Name>", "a%20b"),
    ],
)
def test_a_name_is_decoded_where_it_says_so(name: str, key: str) -> None:
    assert [info.key for info in read_page(page(name + _PLAIN), what="").infos] == [key]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        page(_HOT)[:-9],
        page("<Name>a</Name>"),
        page(_PLAIN),
        page("<Name>a</Name><Properties><Content-Length>1</Content-Length></Properties>"),
        page("<Name>a</Name>" + _PLAIN.replace(">1<", ">-<")),
        page('<Name Encoded="true">%EF</Name>' + _PLAIN),
        page(_HOT).replace(b"Blobs>", b"Others>"),
        b"<Error><Code>InternalError</Code></Error>",
        page(_HOT).replace(b"?>", b'?><!DOCTYPE a [<!ENTITY b "c">]>', 1),
        page(_HOT).decode().replace('"utf-8"', '"utf-16"').encode("utf-16"),
    ],
    ids=[
        "empty",
        "cut",
        "no facts",
        "no name",
        "no ETag",
        "no size",
        "no UTF-8",
        "no list",
        "an error",
        "entities",
        "UTF-16",
    ],
)
def test_what_is_no_page_is_never_taken_for_one(body: bytes) -> None:
    with pytest.raises(StoreUnavailable, match=r"^listing 'b/': the store's list cannot be read"):
        read_page(body, what="listing 'b/'")
