"""What is said about a request that cannot be understood; the wording is what existing clients know."""

from __future__ import annotations

from typing import Any

import pytest

from common.domain.bag import ExternalIdentifier, Space, Version
from common.domain.location import Provider
from common.web.fields import Invalid
from ingests_api.options import Options
from ingests_api.request import Source, Wanted, parse
from unit.ingests_api.builders import wish


def located(**changes: Any) -> dict[str, Any]:
    return {"provider": {"id": "amazon-s3"}, "bucket": "b", "path": "digitised/b1"} | changes


CREATE = {"ingestType": {"id": "create"}}

FAULTS: list[tuple[Any, str]] = [
    ([], "Invalid value at .: must be an object."),
    (
        {},
        "Invalid value at .ingestType: Missing required field\n"
        "Invalid value at .space: Missing required field\n"
        "Invalid value at .bag: Missing required field",
    ),
    (
        {"sourceLocation": {}, "callback": {}, "ingestType": {}, "space": {}, "bag": {"info": {}}},
        "Invalid value at .sourceLocation.provider: Missing required field\n"
        "Invalid value at .sourceLocation.bucket: Missing required field\n"
        "Invalid value at .sourceLocation.path: Missing required field\n"
        "Invalid value at .callback.url: Missing required field\n"
        "Invalid value at .ingestType.id: Missing required field\n"
        "Invalid value at .space.id: Missing required field\n"
        "Invalid value at .bag.info.externalIdentifier: Missing required field",
    ),
    (wish(**CREATE), "Invalid value at .sourceLocation: Missing required field"),
    (wish(space=5), "Invalid value at .space.id: must be a string."),  # type: ignore[arg-type]
    (wish(bag="b1"), "Invalid value at .bag: must be an object."),
    (wish(space="a\0b"), "Invalid value at .space.id: must not contain the character NUL."),
    (
        wish(ingestType={"id": "xyz"}),
        'Invalid value at .ingestType.id: got "xyz", valid values are: create, update, backfill.',
    ),
    (wish(space="a/b"), "Invalid value at .space.id: must not contain slashes."),
    (wish(space=""), "Invalid value at .space.id: must not be empty."),
    (wish(""), "Invalid value at .bag.info.externalIdentifier: must not be empty."),
    (
        wish(sourceLocation=located(provider={"id": "x"})),
        'Unrecognised value at .sourceLocation.provider.id: got "x", valid values are: amazon-s3, azure-blob-storage.',
    ),
    (
        wish(**CREATE, sourceLocation=located(provider={"id": "azure-blob-storage"})),
        "Forbidden value at .sourceLocation.provider.id: only amazon-s3 is supported for new bags.",
    ),
    (
        wish("b1/v2"),
        "Invalid value at .bag.info.externalIdentifier: must not end with a version string, was b1/v2",
    ),
    (
        wish("a//b"),
        "Invalid value at .bag.info.externalIdentifier: must not contain consecutive slashes, was a//b",
    ),
    (
        wish(**CREATE, sourceLocation=located()),
        'Unsupported value at .ingestType.id: got "create", and this service carries out backfill only. '
        "Send new bags and updates to the storage service.",
    ),
    (wish(info={"version": "3"}), "Invalid value at .bag.info.version: Cannot parse version string: 3"),
    (
        wish(options={"tier": "Fast"}),
        'Invalid value at .options.tier: got "Fast", valid values are: Expedited, Standard, Bulk.',
    ),
    (
        wish(options={"restoredDays": True}),
        "Invalid value at .options.restoredDays: got True, must be from 1 to 365.",
    ),
    (
        wish(options={"priority": 101}),
        "Invalid value at .options.priority: got 101, must be from 0 to 100.",
    ),
    (
        wish(options={"deadline": "2030-01-31"}),
        "Invalid value at .options.deadline: got '2030-01-31', must be a time with its zone, such as "
        '"2030-01-31T18:00:00Z".',
    ),
    (
        wish(options={"clientTag": ""}),
        "Invalid value at .options.clientTag: got '', must be 1 to 200 printable characters.",
    ),
    (
        wish(destinations=[{"id": "azure"}]),
        "Invalid value at .destinations: give either destination or destinations.",
    ),
    (
        wish(to=None, destinations=[{"id": "azure"}, {"id": "azure"}]),
        "Invalid value at .destinations: names a location twice.",
    ),
    (
        wish(to=None, destinations="azure"),
        'Invalid value at .destinations: must be a list such as [{"id": "azure"}].',
    ),
    (wish(options=[]), "Invalid value at .options: must be an object."),
    (
        wish(callback={"url": "ftp://x"}),
        'Invalid value at .callback.url: got "ftp://x", must be an absolute http or https address.',
    ),
]


@pytest.mark.parametrize(("document", "expected"), FAULTS)
def test_a_fault_is_told_in_the_known_words(document: Any, expected: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(document)
    assert str(refused.value) == expected


def test_everything_that_can_be_asked_for_is_read() -> None:
    document = wish(
        "PP/MIA/1",
        info={"version": "v3"},
        sourceLocation=located(provider={"id": "aws-s3-glacier"}, path="digitised/PP/MIA/1/"),
        options={"tier": "Bulk", "restoredDays": 7, "unknown": 1},
        callback={"url": "https://example.org/done?x=1", "status": {"id": "pending"}},
        somethingNew={},
    )
    assert parse(document) == Wanted(
        Space("digitised"),
        ExternalIdentifier("PP/MIA/1"),
        version=Version(3),
        source=Source(provider=Provider.AMAZON_S3, bucket="b", path="digitised/PP/MIA/1"),
        destination="azure",
        options=Options({"tier": "Bulk", "restoredDays": 7}),
        callback_url="https://example.org/done?x=1",
    )


def test_only_type_space_and_identifier_are_needed() -> None:
    assert parse(wish(to=None)) == Wanted(Space("digitised"), ExternalIdentifier("b1"))


def test_a_source_may_be_named_by_its_id() -> None:
    assert parse(wish(sourceLocation={"id": "cold"})).source == Source(id="cold")
