"""What S3 tells of restores, in every envelope."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bag_warmer.telling import NotAnEvent, read_events
from common.domain.restore import Happened, RestoreEvent

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
UNTIL = datetime(2026, 1, 9, tzinfo=UTC)


def record(key: str = "b1/data/a.tif", name: str = "ObjectRestore:Completed") -> dict[str, Any]:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-01-05T09:00:00.000Z",
        "eventName": name,
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "backfill",
            "bucket": {"name": "archive", "arn": "arn:aws:s3:::archive"},
            "object": {"key": key, "size": 1, "eTag": "e", "sequencer": "0055AED6DCD90281E5"},
        },
        "glacierEventData": {
            "restoreEventData": {
                "lifecycleRestorationExpiryTime": "2026-01-09T00:00:00.000Z",
                "lifecycleRestoreStorageClass": "GLACIER",
            }
        },
    }


def records(*found: dict[str, Any]) -> str:
    return json.dumps({"Records": list(found)})


def through_sns(message: str) -> str:
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": message})


def bridge(key: str, kind: str = "Object Restore Completed") -> str:
    detail = {
        "version": "0",
        "bucket": {"name": "archive"},
        "object": {"key": key, "size": 1, "etag": "e", "version-id": "v", "sequencer": "00"},
        "request-id": "r",
        "requester": "s3.amazonaws.com",
        "restore-expiry-time": "2026-01-09T00:00:00Z",
        "source-storage-class": "GLACIER",
    }
    return json.dumps({"source": "aws.s3", "detail-type": kind, "time": "2026-01-05T09:00:00Z", "detail": detail})


def completed(key: str) -> RestoreEvent:
    return RestoreEvent(Happened.COMPLETED, "archive", key, AT, UNTIL)


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (records(record()), [completed("b1/data/a.tif")]),
        (through_sns(records(record())), [completed("b1/data/a.tif")]),
        (bridge("b1/data/a.tif"), [completed("b1/data/a.tif")]),
        (through_sns(bridge("b1/data/a.tif")), [completed("b1/data/a.tif")]),
        (records(record(name="s3:ObjectRestore:Completed")), [completed("b1/data/a.tif")]),
    ],
    ids=["SQS", "SNS", "EventBridge", "EventBridge through SNS", "the name with its service"],
)
def test_a_completed_restore_is_read_from_every_envelope(body: str, events: list[RestoreEvent]) -> None:
    assert read_events(body) == events


def test_pitfall_03_keys_of_records_are_decoded_as_forms_and_those_of_eventbridge_are_not() -> None:
    key = 'a b+c%20é,"x".mxf'
    encoded = "a+b%2Bc%2520%C3%A9%2C%22x%22.mxf"

    assert [event.key for event in read_events(records(record(encoded)))] == [key]
    assert [event.key for event in read_events(bridge(key))] == [key]


def test_pitfall_04_all_records_of_a_message_are_read_and_a_test_event_is_none() -> None:
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-01-05T09:00:00Z", "Bucket": "archive"}

    assert read_events(records(record("a"), record("b"))) == [completed("a"), completed("b")]
    assert read_events(json.dumps(test_event)) == []
    assert read_events(through_sns(json.dumps(test_event))) == []


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("ObjectRestore:Post", Happened.INITIATED),
        ("ObjectRestore:Delete", Happened.EXPIRED),
        ("IntelligentTiering", Happened.ARCHIVED),
    ],
)
def test_what_else_happens_to_archived_objects_is_told_apart(name: str, what: Happened) -> None:
    assert [event.what for event in read_events(records(record(name=name)))] == [what]


@pytest.mark.parametrize(
    ("kind", "what"),
    [("Object Restore Initiated", Happened.INITIATED), ("Object Restore Expired", Happened.EXPIRED)],
)
def test_eventbridge_has_names_of_its_own(kind: str, what: Happened) -> None:
    assert [event.what for event in read_events(bridge("k", kind))] == [what]


@pytest.mark.parametrize(
    "body",
    [
        records(record(name="ObjectCreated:Put"), record(name="LifecycleTransition")),
        records({**record(), "eventSource": "aws:sns"}),
        bridge("k", "Object Created"),
        records(),
        json.dumps({"Type": "SubscriptionConfirmation", "Message": "You have chosen", "Token": "t"}),
    ],
)
def test_what_is_no_business_of_ours_is_passed_over(body: str) -> None:
    assert read_events(body) == []


def test_an_intelligent_tiering_object_has_no_copy_that_expires() -> None:
    bare = record()
    del bare["glacierEventData"]

    assert read_events(records(bare)) == [RestoreEvent(Happened.COMPLETED, "archive", "b1/data/a.tif", AT)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "JSON, but not an object"),
        ('{"a": 1}', "neither Records nor detail-type: a"),
        ('{"Records": [{}]}', "a record is not as S3 writes it: KeyError"),
        ('{"Records": 7}', "a record is not as S3 writes it: TypeError"),
        (records({**record(), "eventTime": "yesterday"}), "a record is not as S3 writes it: ValueError"),
        (records({**record(), "eventTime": "2026-01-05T09:00:00"}), "has no time zone"),
        (records(record("%ff")), "a record is not as S3 writes it: UnicodeDecodeError"),
        (records(record("a%00b")), "is no name"),
        (bridge("\ud800"), "a record is not as S3 writes it"),
        (through_sns("hello"), "not JSON"),
        ("x" * (1 << 21), "at most"),
    ],
)
def test_anything_else_is_refused_with_its_reason(body: str, reason: str) -> None:
    with pytest.raises(NotAnEvent, match=reason):
        read_events(body)
