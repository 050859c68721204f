"""Bringing archived S3 objects back: RestoreObject and what its answers mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import botocore.exceptions as boto

from common.adapters.objects.answers import Answer
from common.adapters.objects.s3.boto_errors import boto_answer, translated
from common.adapters.objects.s3.control import Control
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
    """ColdStore over one bucket."""

    control: Control

    def now(self) -> datetime:
        with translated(f"asking {self.control.bucket} for the time"):
            answer = self.control.client.head_bucket(Bucket=self.control.bucket)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if date is None:
            raise StoreUnavailable(f"{self.control.bucket} answered without a Date header")
        return parsedate_to_datetime(date)

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        request: dict[str, Any] = {"GlacierJobParameters": {"Tier": tier.value}}
        if days is not None:
            request["Days"] = days
        pinned = {} if version_id is None else {"VersionId": version_id}
        try:
            answer = self.control.client.restore_object(
                Bucket=self.control.bucket, Key=key, RestoreRequest=request, **pinned
            )
        except (boto.BotoCoreError, boto.ClientError) as problem:
            return meaning(boto_answer(problem), what=f"restoring {key} ({tier.value})")
        return meaning(Answer(answer["ResponseMetadata"]["HTTPStatusCode"]), what="")


def meaning(answer: Answer, *, what: str) -> Restore:
    """What RestoreObject's answer says. Raises its error where it is one; 403s are told apart by their code only."""
    if answer.code in MEANINGS:
        return MEANINGS[answer.code]
    if answer.code is None and answer.status in _GOOD:
        return _GOOD[answer.status]
    if answer.code in ("NotImplemented", "MethodNotAllowed") or answer.status in (405, 501):
        raise NotRestorable(f"{what}: the store does not restore ({answer.code or answer.status})")
    raise error_for(answer, what=what) from None
