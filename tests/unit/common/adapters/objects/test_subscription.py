"""Having a bucket tell of restores, beside what it tells others."""

from __future__ import annotations

from typing import Any

import pytest

from common.adapters.objects.s3.restore_queue import SqsAddress
from common.adapters.objects.s3.subscription import Subscription, normal, with_ours, without_ours
from common.errors import ConfigurationError

OURS = "arn:aws:sqs:eu-west-1:123456789012:restores"
THEIRS = "arn:aws:sqs:eu-west-1:123456789012:theirs"
WANTED = Subscription("backfill-restores-cold", OURS, "bags/")


def entry(arn: str = THEIRS, *, name: str = "theirs", prefix: str | None = None, events: Any = None) -> dict[str, Any]:
    rules = {"Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": prefix}]}}} if prefix is not None else {}
    return {"Id": name, "QueueArn": arn, "Events": events or ["s3:ObjectCreated:*"], **rules}


OTHERS = {
    "QueueConfigurations": [entry()],
    "TopicConfigurations": [{"Id": "t", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Events": ["s3:ObjectRemoved:*"]}],
    "LambdaFunctionConfigurations": [
        {"Id": "l", "LambdaFunctionArn": "arn:aws:lambda:eu-west-1:1:function:f", "Events": ["s3:ObjectRestore:Post"]}
    ],
}


def test_pitfall_28_what_a_bucket_tells_others_stays_as_it_is() -> None:
    change = with_ours(OTHERS, WANTED)

    assert change.after["QueueConfigurations"] == [entry(), WANTED.entry]
    assert {k: v for k, v in change.after.items() if k != "QueueConfigurations"} == {
        k: v for k, v in OTHERS.items() if k != "QueueConfigurations"
    }
    assert change.needed
    assert without_ours(change.after, WANTED.id).after == OTHERS


def test_subscribing_twice_changes_nothing() -> None:
    once = with_ours(OTHERS, WANTED).after

    again = with_ours(once, WANTED)

    assert not again.needed
    assert normal(again.after) == normal(once)


def test_ours_is_changed_where_it_points_elsewhere() -> None:
    before = with_ours({}, Subscription(WANTED.id, THEIRS, "old/")).after

    assert with_ours(before, WANTED).after == {"QueueConfigurations": [WANTED.entry]}


def test_the_same_queue_subscribed_by_hand_will_do() -> None:
    by_hand = {"QueueConfigurations": [entry(OURS, name="by hand", events=["s3:ObjectRestore:*"])]}

    assert not with_ours(by_hand, WANTED).needed


@pytest.mark.parametrize("prefix", ["", "bags/", "bags/digitised/", "ba", None])
def test_where_somebody_else_is_told_already_nothing_is_written_and_the_way_out_is_named(prefix: str | None) -> None:
    before = {"QueueConfigurations": [entry(prefix=prefix, events=["s3:ObjectRestore:Completed"])]}

    with pytest.raises(ConfigurationError, match=r"tells each thing to one only.*EventBridge"):
        with_ours(before, WANTED)


def test_somebody_who_is_told_of_other_keys_is_not_in_the_way() -> None:
    before = {"QueueConfigurations": [entry(prefix="other/", events=["s3:ObjectRestore:*"])]}

    assert len(with_ours(before, WANTED).after["QueueConfigurations"]) == 2


def test_eventbridge_is_switched_on_beside_all_the_rest() -> None:
    wanted = Subscription(WANTED.id, None)

    change = with_ours(OTHERS, wanted)

    assert change.after == OTHERS | {"EventBridgeConfiguration": {}}
    assert not with_ours(change.after, wanted).needed


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "https://sqs.eu-west-1.amazonaws.com/123456789012/restores",
            SqsAddress(None, "eu-west-1", "123456789012", "restores"),
        ),
        (
            "http://127.0.0.1:5900/123456789012/restores",
            SqsAddress("http://127.0.0.1:5900", "us-west-2", "123456789012", "restores"),
        ),
    ],
)
def test_a_queue_s_url_says_where_it_is(url: str, address: SqsAddress) -> None:
    assert SqsAddress.of(url, region="us-west-2") == address
    assert address.arn == f"arn:aws:sqs:{address.region}:123456789012:restores"


def test_a_url_that_names_no_queue_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is no queue's URL"):
        SqsAddress.of("https://sqs.eu-west-1.amazonaws.com/", region=None)
