"""What a queue may be called and how much a message may carry, on every broker alike."""

from __future__ import annotations

import re

from common.errors import ConfigurationError

MAX_BODY = 64 * 1024
"""Bytes. A hint carries ids, never state; whatever is larger was not published by us."""

DEAD_SUFFIX = "_dead"
"""Where a broker puts what it has delivered too often: `<queue>_dead`."""

MAX_DELIVERIES = 20
"""How often a broker delivers one message before it puts it aside. The ledger creates the hint anew."""

_QUEUE_NAME = re.compile(r"[a-z][a-z0-9_]{0,46}")


def queue_name(*, prefix: str, queue: str) -> str:
    """The name on the broker. Raises ConfigurationError where one of the brokers could not hold it.

    pgmq takes 47 characters of [a-z0-9_]; the others have room for the dead-letter queue's suffix besides.
    """
    name = prefix + queue
    if not _QUEUE_NAME.fullmatch(name):
        raise ConfigurationError(
            f"queue name {name!r} (prefix {prefix!r} and queue {queue!r}) must be at most 47 characters, "
            "begin with a letter and use only a-z, 0-9 and _"
        )
    return name


def check_body(body: bytes) -> None:
    """Raises ValueError for a body that is too large for a hint."""
    if len(body) > MAX_BODY:
        raise ValueError(f"a message of {len(body)} bytes is larger than {MAX_BODY}: send ids, not state")
