"""The SQS queue that a bucket's restore events come to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.config import Config

from common.adapters.objects.s3.boto_errors import translated
from common.adapters.objects.s3.client import DEFAULT_REGION
from common.adapters.objects.s3.control import open_session
from common.errors import ConfigurationError
from common.ports import Letter

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig

_AMAZON = re.compile(r"sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_AT_ONCE = 10
"""Messages in one answer; SQS gives no more."""
_LONGEST_POLL = 20
"""Seconds; SQS waits no longer."""


@dataclass(frozen=True)
class SqsAddress:
    """What the URL of a queue says of it."""

    endpoint: str | None
    """None: Amazon's own."""
    region: str
    account: str
    name: str

    @classmethod
    def of(cls, url: str, *, region: str | None) -> SqsAddress:
        """`region` is the location's, for URLs that do not say. Raises ConfigurationError."""
        parts = urlsplit(url)
        path = parts.path.strip("/").split("/")
        if len(path) != 2 or not all(path):
            raise ConfigurationError(f"thaw.events_queue {url!r} is no queue's URL: it ends with /<account>/<name>")
        amazon = _AMAZON.fullmatch(parts.hostname or "")
        endpoint = None if amazon else f"{parts.scheme}://{parts.netloc}"
        return cls(endpoint, amazon[1] if amazon else region or DEFAULT_REGION, *path)

    @property
    def arn(self) -> str:
        partition = "aws-cn" if self.region.startswith("cn-") else "aws"
        return f"arn:{partition}:sqs:{self.region}:{self.account}:{self.name}"


@dataclass(frozen=True)
class SqsRestoreQueue:
    """RestoreQueue over SQS. A message that is not forgotten comes again after the queue's visibility timeout."""

    config: LocationConfig
    url: str

    def receive(self, *, wait: float) -> list[Letter]:
        with translated(f"receiving from {self.url}"):
            answer = self._sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=_AT_ONCE,
                WaitTimeSeconds=min(_LONGEST_POLL, ceil(wait)),
            )
        return [Letter(message["Body"], message["ReceiptHandle"]) for message in answer.get("Messages", [])]

    def forget(self, letters: Sequence[Letter]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": letter.receipt} for n, letter in enumerate(letters)]
        with translated(f"deleting from {self.url}"):
            self._sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)

    @cached_property
    def _sqs(self) -> Any:
        address = SqsAddress.of(self.url, region=self.config.region)
        return open_session(self.config).client(
            "sqs",
            region_name=address.region,
            endpoint_url=address.endpoint,
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=self.config.connect_timeout,
                read_timeout=_LONGEST_POLL + self.config.read_timeout,
            ),
        )
