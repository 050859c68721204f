"""Questions to broker, disk and store clocks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from common.errors import BrokerUnavailable
from common.ports import Courier
from common.probing.findings import Finding, Verdict, asked, clocks
from common.probing.stores import Place
from common.wording import size

_ENOUGH, _LEAST = 1 << 30, 64 << 20
"""Bytes free on the disk of temporary files: below the first they may run out, below the second they will."""


def broker(open_courier: Callable[[], Courier], *, queue: str, wait: float = 10) -> Finding:
    """Declares a queue, publishes to it and receives from it; `wait` in seconds."""

    def question() -> Finding:
        courier = open_courier()
        try:
            courier.declare([queue])
            courier.publish(queue=queue, body=b"{}", message_id=str(uuid4()))
            # Any message proves it: another check that runs now may have ours.
            delivery = courier.receive([queue], wait=wait)
            if delivery is None:
                raise BrokerUnavailable(f"a message that queue {queue} took did not come back within {wait:.0f} s")
            courier.ack(delivery)
        finally:
            courier.close()
        return Finding("broker", Verdict.OK, f"queue {queue} was declared, written to and read")

    return asked("broker", question)


def disk() -> list[Finding]:
    """Room for temporary files, in each directory they may go to."""
    return [
        _room(directory)
        for directory in dict.fromkeys((tempfile.gettempdir(), os.environ.get("SQLITE_TMPDIR")))
        if directory
    ]


def _room(directory: str) -> Finding:
    remedy = "Name a directory with room in TMPDIR and SQLITE_TMPDIR: about 300 bytes for each file of the largest bag."
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(bytes(4096))
            file.flush()
        free = shutil.disk_usage(directory).free
    except OSError as error:
        return Finding("disk", Verdict.FAILED, f"{directory} cannot be written to: {error.strerror}", remedy)
    verdict = Verdict.FAILED if free < _LEAST else Verdict.WARNING if free < _ENOUGH else Verdict.OK
    return Finding("disk", verdict, f"{size(free)} free in {directory}", "" if verdict is Verdict.OK else remedy)


def store_clock(place: Place, *, now: Callable[[], datetime]) -> Finding | None:
    """Compares this machine's clock with the store's; None where the store does not tell the time."""
    cold = place.cold
    if cold is None:
        return None
    name = f"{place.location.id}: clock"
    return asked(name, lambda: clocks(name, whose=str(place.location.id), theirs=cold.now(), ours=now()))
