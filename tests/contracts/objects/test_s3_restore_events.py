"""Restores that a bucket tells of by itself, on a server that tells."""

from __future__ import annotations

import json

import pytest

from bag_warmer.telling import read_events
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_cold_store, open_restore_queue, open_subscriptions
from common.domain.location import Provider
from common.domain.restore import Happened
from common.ports import Tier
from servers.handles import S3Server

KEY = "bags/a b+c%20é.tif"


def located(server: S3Server, queue: str, bucket: str | None = None) -> LocationConfig:
    return LocationConfig.model_validate(
        {
            "id": "cold",
            "provider": Provider.AMAZON_S3,
            "bucket": bucket or server.bucket(),
            "endpoint": server.endpoint,
            "access_key_id": server.access_key_id,
            "secret_access_key": server.secret_access_key,
            "region": server.region,
            "thaw": {"events_queue": queue},
        }
    )


def test_a_subscribed_bucket_tells_of_a_restore_until_the_message_is_forgotten(s3_server: S3Server) -> None:
    config = located(s3_server, s3_server.queue())
    subscriptions, queue = open_subscriptions(config), open_restore_queue(config)
    assert queue is not None
    cold = open_cold_store(config)
    assert cold is not None
    s3_server.client().put_object(Bucket=config.bucket, Key=KEY, Body=b"x", StorageClass="GLACIER")
    subscriptions.put(subscriptions.subscribed(event_bridge=False))

    cold.restore(key=KEY, version_id=None, days=2, tier=Tier.EXPEDITED)
    s3_server.clock.advance(hours=1)
    letters = queue.receive(wait=5)
    queue.forget(letters)

    told = [event for letter in letters for event in read_events(letter.body)]
    assert [(event.what, event.bucket, event.key) for event in told] == [(Happened.COMPLETED, config.bucket, KEY)]
    assert told[0].expires_at is not None
    assert queue.receive(wait=0) == []


def test_pitfall_28_a_bucket_goes_on_telling_others_what_it_told_them(s3_server: S3Server) -> None:
    theirs, bucket = s3_server.queue(), s3_server.bucket()
    config, other = located(s3_server, s3_server.queue(), bucket), located(s3_server, theirs, bucket)
    subscriptions = open_subscriptions(config)
    s3 = s3_server.client()
    arn = open_subscriptions(other).queue_arn
    entry = {"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [entry]})

    subscriptions.put(subscriptions.subscribed(event_bridge=False))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    heard = open_restore_queue(other)
    assert heard is not None
    bodies = [json.loads(letter.body) for letter in heard.receive(wait=5)]
    subscriptions.put(subscriptions.unsubscribed())

    names = [record["eventName"] for body in bodies for record in body.get("Records", [])]
    assert names == ["ObjectCreated:Put"]
    left = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert [one["Id"] for one in left] == ["theirs"]


def test_a_queue_that_is_not_there_is_an_error_of_ours(s3_server: S3Server) -> None:
    config = located(s3_server, f"{s3_server.endpoint}/123456789012/nothing-here")
    queue = open_restore_queue(config)
    assert queue is not None

    with pytest.raises(Exception, match="receiving from") as failed:
        queue.receive(wait=0)

    assert type(failed.value).__module__ == "common.errors"
