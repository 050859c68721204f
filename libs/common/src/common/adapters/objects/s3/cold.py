"""Bringing archived S3 objects back: RestoreObject and what its answers mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.adapters.objects.answers import Answer
from common.adapters.objects.dates import http_moment
from common.adapters.objects.s3.client import Connection
from common.adapters.objects.s3.errors import error_for
from common.errors import NotRestorable, StoreUnavailable
from common.ports import Restore, Tier

MEANINGS: dict[str, Restore] = {
    "RestoreAlreadyInProgress": Restore.IN_PROGRESS,
    "InvalidObjectState": Restore.NOT_ARCHIVED,
    "ObjectAlreadyInActiveTierError": Restore.NOT_ARCHIVED,
}
"""Error codes of RestoreObject that are answers, not errors."""

_GOOD = {202: Restore.ACCEPTED, 200: Restore.ALREADY_RESTORED}


@dataclass(frozen=True, slots=True)
class S3ColdStore:
    """ColdStore over one bucket. boto3 is imported when the first object is to be restored."""

    connection: Connection

    def now(self) -> datetime:
        bucket = self.connection.bucket
        date = self.connection.direct.head_bucket(f"asking {bucket} for the time").get("date", "")
        try:
            return http_moment(date)
        except ValueError:
            raise StoreUnavailable(f"{bucket} answered with {f'the date {date!r}' if date else 'no date'}") from None

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        request: dict[str, Any] = {"GlacierJobParameters": {"Tier": tier.value}}
        if days is not None:
            request["Days"] = days
        answer = self.connection.control.restore(key, version_id, request)
        return meaning(answer, what=f"restoring {key} ({tier.value})")


def meaning(answer: Answer, *, what: str) -> Restore:
    """What RestoreObject's answer says. Raises its error where it is one; 403s are told apart by their code only."""
    if answer.code in MEANINGS:
        return MEANINGS[answer.code]
    if answer.code is None and answer.status in _GOOD:
        return _GOOD[answer.status]
    if answer.code in ("NotImplemented", "MethodNotAllowed") or answer.status in (405, 501):
        raise NotRestorable(f"{what}: the store does not restore ({answer.code or answer.status})")
    raise error_for(answer, what=what) from None
