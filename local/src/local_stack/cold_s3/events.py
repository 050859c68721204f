"""Restore events, sent as S3 sends them to the queues and topics of a bucket's notification configuration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from moto.s3 import notifications
from moto.s3.models import s3_backends

from local_stack.cold_s3.archive import Archive, Happening
from local_stack.cold_s3.clock import SimulatedClock

_TIERING_NAMES = {"ARCHIVE_ACCESS": "INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS": "INTELLIGENT_TIERING"}


def sender(clock: SimulatedClock) -> Callable[[Any, Happening, Archive], None]:
    """A function that tells the world what happened to a key."""

    def tell(key: Any, what: Happening, archive: Archive) -> None:
        backend = s3_backends[key.account_id][key.partition]
        bucket = backend.buckets.get(key.bucket_name)
        configuration = bucket.notification_configuration if bucket is not None else None
        if configuration is None:
            return
        for queue in configuration.queue:
            if queue.matches(what.value, key.name):
                body = {"Records": [_record(bucket, key, what, archive, clock.now(), queue.id)]}
                region, name = queue.arn.split(":")[3], queue.arn.split(":")[-1]
                notifications._send_sqs_message(key.account_id, body, name, region)
        for topic in configuration.topic:
            if topic.matches(what.value, key.name):
                body = {"Records": [_record(bucket, key, what, archive, clock.now(), topic.id)]}
                notifications._send_sns_message(key.account_id, body, topic.arn, topic.arn.split(":")[3])

    return tell


def _record(
    bucket: Any, key: Any, what: Happening, archive: Archive, now: datetime, configuration_id: str
) -> dict[str, Any]:
    told: dict[str, Any] = {"key": quote_plus(key.name), "size": key.size, "eTag": key.etag.strip('"')}
    if key.version_id != "null":
        told["versionId"] = key.version_id
    told["sequencer"] = f"{int(now.timestamp() * 1_000_000):018X}"
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region_name,
        "eventTime": _iso(now),
        "eventName": what.value.removeprefix("s3:"),
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {"name": bucket.name, "arn": bucket.arn},
            "object": told,
        },
        "glacierEventData": {"restoreEventData": _restore_data(archive)},
    }


def _restore_data(archive: Archive) -> dict[str, str]:
    """A copy's end is known once it exists."""
    data = {"lifecycleRestoreStorageClass": _TIERING_NAMES.get(archive.shelf, archive.shelf.value)}
    if archive.restore is not None and archive.restore.expires_at is not None:
        data["lifecycleRestorationExpiryTime"] = _iso(archive.restore.expires_at)
    return data


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
