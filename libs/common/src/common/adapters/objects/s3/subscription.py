"""Having a bucket tell of restores, without taking anything from what it tells others.

PutBucketNotificationConfiguration replaces everything that a bucket has. So what it has is read, ours is added, the
whole is put, and read again: whatever was there before must still be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from common.adapters.objects.s3.boto_errors import translated
from common.adapters.objects.s3.control import Control
from common.errors import ConfigurationError, StoreUnavailable

Configuration = Mapping[str, Any]

EVENTS = ("s3:ObjectRestore:Completed", "s3:ObjectRestore:Delete")
_KINDS = {
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}
_BRIDGE = "EventBridgeConfiguration"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What shall be told to whom."""

    id: str
    """Ours, in the bucket's configuration: what has it is ours to change, and nothing else is."""
    queue_arn: str | None
    """None: to EventBridge, where rules do the rest; nobody else's subscription is in its way there."""
    prefix: str = ""

    @property
    def entry(self) -> dict[str, Any]:
        rules = {"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": self.prefix}]}}} if self.prefix else {}
        return {"Id": self.id, "QueueArn": self.queue_arn, "Events": list(EVENTS), **rules}


@dataclass(frozen=True, slots=True)
class Change:
    """What a bucket has, and what it shall have."""

    before: Configuration
    after: Configuration

    @property
    def needed(self) -> bool:
        return bool(normal(self.before) != normal(self.after))


def with_ours(before: Configuration, wanted: Subscription) -> Change:
    """Raises ConfigurationError where S3 would refuse both side by side: it tells each thing to one only."""
    after = without(before, wanted.id)
    if wanted.queue_arn is None:
        return Change(before, after | {_BRIDGE: {}})
    for kind, entry in _entries(after):
        if entry.get(_KINDS[kind]) == wanted.queue_arn and _covers(entry, wanted):
            return Change(before, deepcopy(dict(before)))
        if _overlaps(entry, wanted):
            raise ConfigurationError(
                f"the bucket tells {entry.get(_KINDS[kind])} of restores already ({entry.get('Id', 'no id')}), and S3 "
                "tells each thing to one only. Have that one pass them on (an SNS topic with two queues), or use "
                "EventBridge: --event-bridge"
            )
    after["QueueConfigurations"] = [*after.get("QueueConfigurations", []), wanted.entry]
    return Change(before, after)


def without_ours(before: Configuration, subscription_id: str) -> Change:
    """EventBridge stays on: others may have rules there."""
    return Change(before, without(before, subscription_id))


def without(configuration: Configuration, subscription_id: str) -> dict[str, Any]:
    """All but the entry of that id."""
    kept = deepcopy(dict(configuration))
    for kind in _KINDS:
        if kind in kept:
            kept[kind] = [entry for entry in kept[kind] if entry.get("Id") != subscription_id]
            if not kept[kind]:
                del kept[kind]
    return kept


def normal(configuration: Configuration) -> Any:
    """The same for configurations that mean the same: orders, and names in other cases, do not count."""
    entries = sorted(
        (kind, str(entry.get(_KINDS[kind])), sorted(entry.get("Events", [])), _rules(entry), entry.get("Id", ""))
        for kind, entry in _entries(configuration)
    )
    return entries, _BRIDGE in configuration


def read(control: Control) -> dict[str, Any]:
    """What the bucket tells to whom."""
    with translated(f"reading the notifications of {control.bucket}"):
        answer = control.client.get_bucket_notification_configuration(Bucket=control.bucket)
    return {name: value for name, value in answer.items() if name in (*_KINDS, _BRIDGE)}


def put(control: Control, change: Change) -> None:
    """Make the change and look whether it was made. Raises StoreUnavailable where somebody else was faster."""
    if not change.needed:
        return
    now = read(control)
    if normal(now) != normal(change.before):
        raise StoreUnavailable(f"the notifications of {control.bucket} were changed meanwhile: nothing was written")
    with translated(f"writing the notifications of {control.bucket}", writing=True):
        control.client.put_bucket_notification_configuration(
            Bucket=control.bucket, NotificationConfiguration=dict(change.after)
        )
    found = read(control)
    if normal(found) != normal(change.after):
        raise StoreUnavailable(
            f"the notifications of {control.bucket} are not what was written: look at them, and do it again"
        )


def _entries(configuration: Configuration) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in _KINDS:
        for entry in configuration.get(kind, []):
            yield kind, entry


def _rules(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return sorted((rule["Name"].lower(), rule["Value"]) for rule in rules)


def _covers(entry: Mapping[str, Any], wanted: Subscription) -> bool:
    rules = dict(_rules(entry))
    wide = wanted.prefix.startswith(rules.get("prefix", "")) and not rules.get("suffix")
    return wide and all(_names(entry, event) for event in EVENTS)


def _overlaps(entry: Mapping[str, Any], wanted: Subscription) -> bool:
    prefix = dict(_rules(entry)).get("prefix", "")
    near = prefix.startswith(wanted.prefix) or wanted.prefix.startswith(prefix)
    return near and any(_names(entry, event) for event in EVENTS)


def _names(entry: Mapping[str, Any], event: str) -> bool:
    return event in entry.get("Events", []) or "s3:ObjectRestore:*" in entry.get("Events", [])


@dataclass(frozen=True)
class BucketSubscriptions:
    """What one location's bucket tells to whom."""

    control: Control
    id: str
    prefix: str
    queue_arn: str | None
    """None where the location has no queue."""

    def subscribed(self, *, event_bridge: bool) -> Change:
        """The change that has the bucket tell of restores. Raises ConfigurationError where S3 would refuse it."""
        if self.queue_arn is None and not event_bridge:
            raise ConfigurationError("the location has no thaw.events_queue; set it, or use --event-bridge")
        wanted = Subscription(self.id, None if event_bridge else self.queue_arn, self.prefix)
        return with_ours(read(self.control), wanted)

    def unsubscribed(self) -> Change:
        """The change that takes it back."""
        return without_ours(read(self.control), self.id)

    def put(self, change: Change) -> None:
        """Make the change, and look whether it was made. Raises StoreUnavailable where somebody else was faster."""
        put(self.control, change)
