"""fetch.txt may only lead to an earlier version of the same bag in a known location."""

from __future__ import annotations

import pytest

from common.domain.bag import BagVersion, Version
from common.domain.fetched import FetchedFrom, NotOurs, fetched_from
from common.domain.location import Location, LocationId, Provider

BAG = BagVersion.of("digitised", "b1", 3)
LOCATIONS = [
    Location(LocationId("cold"), Provider.AMAZON_S3, "bucket"),
    Location(LocationId("other"), Provider.AMAZON_S3, "shared", prefix="bags/"),
    Location(LocationId("azure"), Provider.AZURE_BLOB, "container"),
]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://bucket/digitised/b1/v1/data/a.tif", FetchedFrom(Version(1), "v1/data/a.tif")),
        ("s3://bucket/digitised/b1/v2/data/a%20b%3F.tif", FetchedFrom(Version(2), "v2/data/a b?.tif")),
        ("s3://bucket/digitised/b1/v2/data/%C3%A9", FetchedFrom(Version(2), "v2/data/é")),
        ("s3://shared/bags/digitised/b1/v1/data/a", FetchedFrom(Version(1), "v1/data/a")),
        ("azure://container/digitised/b1/v1/data/a", FetchedFrom(Version(1), "v1/data/a")),
    ],
)
def test_an_earlier_version_of_the_bag_is_ours(url: str, expected: FetchedFrom) -> None:
    assert fetched_from(url, bag=BAG, locations=LOCATIONS) == expected


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://bucket/digitised/b1/v1/data/a", "is not an object of this bag"),
        ("s3://elsewhere/digitised/b1/v1/data/a", "is not an object of this bag"),
        ("s3://user@bucket/digitised/b1/v1/data/a", "is not an object of this bag"),
        ("s3://bucket/digitised/b10/v1/data/a", "is not an object of this bag"),
        ("s3://bucket/digitised/b1", "is not an object of this bag"),
        ("s3://bucket/other/b1/v1/data/a", "is not an object of this bag"),
        ("s3://bucket/digitised/b1/v0/data/a", "is not an object of this bag"),
        ("s3://bucket/digitised/b1/latest/data/a", "is not an object of this bag"),
        ("s3://shared/digitised/b1/v1/data/a", "is not an object of this bag"),
        ("s3://bucket/digitised/b1/v3/data/a", "is in v3, which is not earlier than v3"),
        ("s3://bucket/digitised/b1/v4/data/a", "is in v4, which is not earlier than v3"),
        ("s3://bucket/digitised/b1/v1/../b2/v1/data/a", "has an empty, . or .. segment"),
        ("s3://bucket/digitised/b1/v1/%2e%2e/data/a", "has an empty, . or .. segment"),
        ("s3://bucket/digitised/b1/v1//data/a", "has an empty, . or .. segment"),
        ("s3://bucket/digitised/b1/v1/data/a?versionId=1", "has a ? or #"),
        ("s3://bucket/digitised/b1/v1/data/a#b", "has a ? or #"),
        ("s3://bucket/digitised/b1/v1/data/%ff", "is not a URL that can be read"),
        ("s3://[bucket/digitised/b1/v1/data/a", "is not a URL that can be read"),
    ],
)
def test_everything_else_is_refused_with_its_reason(url: str, why: str) -> None:
    with pytest.raises(NotOurs) as refused:
        fetched_from(url, bag=BAG, locations=LOCATIONS)

    assert str(refused.value).startswith(f"{url} {why}")
