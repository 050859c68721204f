"""The S3 server with cold storage, as boto3 sees it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from servers.handles import S3Server

BODY = b"Moby Dick; or, The Whale"


class Shelves:
    """One fresh bucket with objects in the classes that a test asks for."""

    def __init__(self, server: S3Server, *, versioned: bool = False) -> None:
        self.server, self.s3 = server, server.client()
        self.bucket = server.bucket(versioned=versioned)

    def put(self, key: str, storage_class: str, body: bytes = BODY) -> dict[str, Any]:
        return dict(self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, StorageClass=storage_class))

    def head(self, key: str, **more: Any) -> dict[str, Any]:
        return dict(self.s3.head_object(Bucket=self.bucket, Key=key, **more))

    def read(self, key: str, **more: Any) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key, **more)["Body"].read())

    def restore(self, key: str, *, days: int | None = 1, tier: str = "Standard", **more: Any) -> int:
        request: dict[str, Any] = {"GlacierJobParameters": {"Tier": tier}} | ({"Days": days} if days else {})
        answer = self.s3.restore_object(Bucket=self.bucket, Key=key, RestoreRequest=request, **more)
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])

    def into_tier(self, key: str, tier: str) -> None:
        self.server.clock.put_in_archive_tier(bucket=self.bucket, key=key, tier=tier)


@pytest.fixture
def shelves(s3_server: S3Server) -> Shelves:
    return Shelves(s3_server)


def refusal(act: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        act()
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize("storage_class", ["STANDARD", "STANDARD_IA", "GLACIER_IR", "INTELLIGENT_TIERING"])
def test_online_classes_can_be_read_at_once_and_not_be_restored(shelves: Shelves, storage_class: str) -> None:
    shelves.put("a", storage_class)
    assert shelves.read("a") == BODY
    assert refusal(lambda: shelves.restore("a")) == (403, "InvalidObjectState")


@pytest.mark.parametrize(("storage_class", "hours"), [("GLACIER", 5), ("DEEP_ARCHIVE", 12)])
def test_an_archived_object_is_refused_thawed_readable_and_refused_again(
    shelves: Shelves, storage_class: str, hours: float
) -> None:
    clock = shelves.server.clock
    shelves.put("a", storage_class)
    assert refusal(lambda: shelves.read("a")) == (403, "InvalidObjectState")
    assert shelves.restore("a", days=2) == 202
    assert refusal(lambda: shelves.restore("a", days=2)) == (409, "RestoreAlreadyInProgress")
    clock.advance(hours=hours - 0.1)
    assert shelves.head("a")["Restore"] == 'ongoing-request="true"'
    assert refusal(lambda: shelves.read("a", Range="bytes=0-3")) == (403, "InvalidObjectState")

    thawed_at = clock.advance(hours=0.2)
    assert shelves.read("a", Range="bytes=5-8") == BODY[5:9]
    midnight = midnight_after(thawed_at - timedelta(hours=0.1) + timedelta(days=2))
    assert (
        shelves.head("a")["Restore"] == f'ongoing-request="false", expiry-date="{midnight:%a, %d %b %Y %H:%M:%S} GMT"'
    )
    assert shelves.head("a")["StorageClass"] == storage_class

    clock.advance(days=3)
    assert "Restore" not in shelves.head("a")
    assert refusal(lambda: shelves.read("a")) == (403, "InvalidObjectState")


def midnight_after(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def test_a_refused_read_names_the_class_and_the_tier(shelves: Shelves) -> None:
    shelves.put("cold", "DEEP_ARCHIVE")
    shelves.put("tiered", "INTELLIGENT_TIERING")
    shelves.into_tier("tiered", "ARCHIVE_ACCESS")
    told = []
    for key in ("cold", "tiered"):
        with pytest.raises(ClientError) as caught:
            shelves.read(key)
        told.append((caught.value.response.get("StorageClass"), caught.value.response.get("AccessTier")))
    assert told == [("DEEP_ARCHIVE", None), ("INTELLIGENT_TIERING", "ARCHIVE_ACCESS")]


@pytest.mark.parametrize(("tier", "hours"), [("ARCHIVE_ACCESS", 5), ("DEEP_ARCHIVE_ACCESS", 12)])
def test_a_tiering_object_takes_no_days_and_moves_out_for_good(shelves: Shelves, tier: str, hours: float) -> None:
    shelves.put("a", "INTELLIGENT_TIERING")
    shelves.into_tier("a", tier)
    assert shelves.head("a")["ArchiveStatus"] == tier
    assert refusal(lambda: shelves.restore("a", days=1)) == (400, "InvalidArgument")
    assert shelves.restore("a", days=None) == 202
    assert shelves.head("a")["Restore"] == 'ongoing-request="true"'
    shelves.server.clock.advance(hours=hours)
    assert "ArchiveStatus" not in shelves.head("a")
    shelves.server.clock.advance(days=100)
    assert shelves.read("a") == BODY


def test_a_faster_tier_is_an_upgrade(shelves: Shelves) -> None:
    shelves.put("a", "GLACIER")
    assert [shelves.restore("a", tier=tier) for tier in ("Bulk", "Standard", "Expedited")] == [202, 202, 202]
    shelves.server.clock.advance(hours=0.1)
    assert shelves.read("a") == BODY


def test_restoring_a_readable_copy_again_prolongs_it(shelves: Shelves) -> None:
    shelves.put("a", "GLACIER")
    shelves.restore("a", days=1)
    shelves.server.clock.advance(hours=5)
    assert shelves.restore("a", days=10) == 200
    shelves.server.clock.advance(days=9)
    assert shelves.read("a") == BODY


def test_requests_without_sense_are_invalid(shelves: Shelves) -> None:
    shelves.put("flexible", "GLACIER")
    shelves.put("deep", "DEEP_ARCHIVE")
    assert refusal(lambda: shelves.restore("flexible", days=None)) == (400, "InvalidArgument")
    assert refusal(lambda: shelves.restore("deep", tier="Expedited")) == (400, "InvalidArgument")
    assert refusal(lambda: shelves.restore("nothing")) == (404, "NoSuchKey")


def test_faults_are_answered_as_long_as_they_are_switched_on(shelves: Shelves) -> None:
    faults = shelves.server.clock.set_faults
    shelves.put("a", "GLACIER")
    faults(slow_down=1, no_expedited_capacity=True)
    assert refusal(lambda: shelves.restore("a", tier="Expedited")) == (503, "SlowDown")
    assert refusal(lambda: shelves.restore("a", tier="Expedited")) == (503, "GlacierExpeditedRetrievalNotAvailable")
    faults()
    assert shelves.restore("a", tier="Expedited") == 202
    assert shelves.server.clock.requests(shelves.bucket) == {"a": {"restore": 3}}


def test_copies_of_an_archived_source_are_refused_until_it_is_thawed(shelves: Shelves) -> None:
    shelves.put("a", "GLACIER")
    source = {"Bucket": shelves.bucket, "Key": "a"}
    upload = shelves.s3.create_multipart_upload(Bucket=shelves.bucket, Key="part")["UploadId"]
    part = {"Bucket": shelves.bucket, "Key": "part", "UploadId": upload, "PartNumber": 1, "CopySource": source}
    whole = {"Bucket": shelves.bucket, "Key": "copy", "CopySource": source}
    for act, arguments in ((shelves.s3.copy_object, whole), (shelves.s3.upload_part_copy, part)):
        assert refusal(lambda act=act, arguments=arguments: act(**arguments)) == (403, "ObjectNotInActiveTierError")
    shelves.restore("a")
    shelves.server.clock.advance(hours=5)
    shelves.s3.copy_object(**whole, StorageClass="STANDARD")
    shelves.s3.upload_part_copy(**part)
    assert shelves.read("copy") == BODY


def test_versions_are_restored_one_by_one(s3_server: S3Server) -> None:
    shelves = Shelves(s3_server, versioned=True)
    old = shelves.put("a", "GLACIER", b"old")["VersionId"]
    shelves.put("a", "STANDARD", b"new")
    assert shelves.restore("a", VersionId=old) == 202
    s3_server.clock.advance(hours=5)
    assert (shelves.read("a", VersionId=old), shelves.read("a")) == (b"old", b"new")


def test_lists_tell_the_state_of_restores_where_asked(shelves: Shelves) -> None:
    for key in ("cold", "thawed", "thawing", "with space+plus", "warm"):
        shelves.put(key, "STANDARD" if key == "warm" else "GLACIER")
    shelves.restore("thawed", tier="Expedited")
    shelves.server.clock.advance(hours=1)
    shelves.restore("thawing")
    shelves.restore("with space+plus")

    listed = shelves.s3.list_objects_v2(Bucket=shelves.bucket, OptionalObjectAttributes=["RestoreStatus"])["Contents"]
    states = {item["Key"]: item.get("RestoreStatus", {}).get("IsRestoreInProgress") for item in listed}
    assert states == {"cold": None, "thawed": False, "thawing": True, "warm": None, "with space+plus": True}
    expiry = next(item["RestoreStatus"]["RestoreExpiryDate"] for item in listed if item["Key"] == "thawed")
    assert f'expiry-date="{expiry:%a, %d %b %Y %H:%M:%S} GMT"' in shelves.head("thawed")["Restore"]

    plain = shelves.s3.list_objects_v2(Bucket=shelves.bucket)["Contents"]
    assert [("RestoreStatus" in item, item["StorageClass"]) for item in plain][:2] == [(False, "GLACIER")] * 2


def test_restore_events_reach_the_queue_without_anybody_looking(shelves: Shelves) -> None:
    sqs, queue = shelves.server.client("sqs"), shelves.server.queue()
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = {"QueueArn": arn, "Events": ["s3:ObjectRestore:*"]}
    shelves.s3.put_bucket_notification_configuration(
        Bucket=shelves.bucket, NotificationConfiguration={"QueueConfigurations": [rule]}
    )
    shelves.put("a b+c", "GLACIER")
    shelves.restore("a b+c", days=1, tier="Expedited")
    # Half a real second is five simulated minutes: the clock alone completes the restore.
    shelves.server.clock.set_ratio(600)
    names = received(sqs, queue, 2)
    shelves.server.clock.freeze()
    shelves.server.clock.advance(days=3)
    names += received(sqs, queue, 1)

    assert [record["eventName"] for record in names] == [
        "ObjectRestore:Post",
        "ObjectRestore:Completed",
        "ObjectRestore:Delete",
    ]
    assert {record["s3"]["object"]["key"] for record in names} == {"a+b%2Bc"}
    told = names[1]["glacierEventData"]["restoreEventData"]
    assert told["lifecycleRestoreStorageClass"] == "GLACIER"
    assert told["lifecycleRestorationExpiryTime"].endswith("T00:00:00.000Z")


def received(sqs: Any, queue: str, wanted: int) -> list[dict[str, Any]]:
    """The next `wanted` records of restores; S3's test message has none."""
    records: list[dict[str, Any]] = []
    for _ in range(10):
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2).get("Messages", []):
            records += json.loads(message["Body"]).get("Records", [])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        if len(records) >= wanted:
            break
    return records


def test_conditions_on_reads_and_writes_are_kept(shelves: Shelves) -> None:
    etag = shelves.put("a", "STANDARD")["ETag"]
    assert shelves.read("a", IfMatch=etag) == BODY
    assert refusal(lambda: shelves.read("a", IfMatch='"other"')) == (412, "PreconditionFailed")
    again = {"Bucket": shelves.bucket, "Key": "a"}
    assert refusal(lambda: shelves.s3.put_object(**again, Body=b"x", IfNoneMatch="*")) == (412, "PreconditionFailed")
    upload = shelves.s3.create_multipart_upload(**again)["UploadId"]
    tag = shelves.s3.upload_part(**again, UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    complete = {**again, "UploadId": upload, "MultipartUpload": parts, "IfNoneMatch": "*"}
    assert refusal(lambda: shelves.s3.complete_multipart_upload(**complete)) == (412, "PreconditionFailed")
    assert shelves.read("a") == BODY


@pytest.mark.parametrize(
    ("wanted", "first", "last"), [("bytes=0-0", 0, 0), ("bytes=5-8", 5, 8), ("bytes=20-", 20, 23), ("bytes=-4", 20, 23)]
)
def test_ranges_are_exactly_what_was_asked_for(shelves: Shelves, wanted: str, first: int, last: int) -> None:
    shelves.put("a", "STANDARD")
    answer = shelves.s3.get_object(Bucket=shelves.bucket, Key="a", Range=wanted)
    assert answer["Body"].read() == BODY[first : last + 1]
    assert answer["ContentRange"] == f"bytes {first}-{last}/{len(BODY)}"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_answers_are_dated_by_the_simulated_clock(shelves: Shelves) -> None:
    shelves.server.clock.advance(days=40)

    answer = shelves.put("a", "STANDARD")

    dated = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert dated - datetime.now(UTC) > timedelta(days=39)
