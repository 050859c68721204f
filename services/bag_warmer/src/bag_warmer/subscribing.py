"""python -m bag_warmer subscribe <location>: have a bucket tell of restores; unsubscribe: have it stop.

For the operator, with credentials that may change the bucket's notifications (s3:GetBucketNotification and
s3:PutBucketNotification): no service needs them.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

COMMANDS = ("subscribe", "unsubscribe")


class Change(Protocol):
    """What a bucket tells to whom, and what it shall tell."""

    @property
    def before(self) -> Mapping[str, Any]: ...

    @property
    def after(self) -> Mapping[str, Any]: ...

    @property
    def needed(self) -> bool: ...


class Subscriptions(Protocol):
    """A bucket's notifications."""

    def subscribed(self, *, event_bridge: bool) -> Any:
        """The change that has it tell of restores; makes none. Raises ConfigurationError where S3 would refuse it."""
        ...

    def unsubscribed(self) -> Any:
        """The change that takes it back."""
        ...

    def put(self, change: Any) -> None:
        """Make the change, and look whether it was made."""
        ...


def parser(command: str) -> argparse.ArgumentParser:
    """What may be said behind `subscribe` and `unsubscribe`."""
    found = argparse.ArgumentParser(prog=f"python -m bag_warmer {command}", description=__doc__)
    found.add_argument("location", help="id of a location in the locations file")
    found.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    found.add_argument(
        "--event-bridge", action="store_true", help="tell EventBridge instead of the location's thaw.events_queue"
    )
    found.add_argument(
        "--locations",
        type=Path,
        default=Path(os.environ.get("BACKFILL_LOCATIONS", "locations.toml")),
        help="the locations file (default: BACKFILL_LOCATIONS, or locations.toml)",
    )
    return found


def carry_out(command: str, told: argparse.Namespace, subscriptions: Subscriptions) -> int:
    """Show the change and make it, unless this is a dry run; the exit status."""
    subscribed = command == "subscribe"
    change = subscriptions.subscribed(event_bridge=told.event_bridge) if subscribed else subscriptions.unsubscribed()
    sys.stdout.write(difference(change) or f"{told.location}: nothing to change\n")
    if told.dry_run:
        sys.stdout.write("dry run: nothing was written\n")
    elif change.needed:
        subscriptions.put(change)
        sys.stdout.write(f"{told.location}: written, and read again\n")
    return 0


def difference(change: Change) -> str:
    """Line by line, as diff shows it; empty where nothing changes."""
    if not change.needed:
        return ""
    before, after = (_lines(one) for one in (change.before, change.after))
    return "".join(difflib.unified_diff(before, after, "before", "after", n=99))


def _lines(configuration: Mapping[str, Any]) -> list[str]:
    return (json.dumps(configuration, indent=2, sort_keys=True) + "\n").splitlines(keepends=True)
