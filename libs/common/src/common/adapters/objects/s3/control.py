"""What boto3 does for one bucket: all that is not on the way of the bytes, and labels that headers cannot say.

Imported when it is first needed: boto3 takes a worker longer to start than everything else together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions as boto
from botocore.config import Config

from common.adapters.objects.answers import Answer
from common.adapters.objects.s3.boto_errors import boto_answer, translated
from common.adapters.objects.s3.client import DEFAULT_REGION
from common.adapters.objects.s3.signing import Credentials

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig


def open_session(config: LocationConfig) -> Any:
    """A boto3 session with the location's credentials, or those of the provider's own chain."""
    return boto3.session.Session(
        aws_access_key_id=_revealed(config, "access_key_id"),
        aws_secret_access_key=_revealed(config, "secret_access_key"),
        aws_session_token=_revealed(config, "session_token"),
        region_name=config.region,
    )


def current_credentials(session: Any) -> Credentials:
    """The session's, renewed where they are about to end. Raises StoreUnavailable where there are none just now."""
    with translated("looking for S3's credentials"):
        found = session.get_credentials()
        if found is None:
            raise boto.NoCredentialsError
        now = found.get_frozen_credentials()
    return Credentials(now.access_key, now.secret_key, now.token)


@dataclass(frozen=True, slots=True)
class Control:
    """Thread-safe; never retries."""

    client: Any
    """boto3's."""
    bucket: str
    storage_class: str | None
    checksums: bool
    """Whether boto3 sends and checks CRC checksums."""

    @classmethod
    def of(cls, session: Any, config: LocationConfig) -> Control:
        return cls(_client(session, config), config.bucket, config.storage_class, config.checksums)

    def restore(self, key: str, version_id: str | None, request: dict[str, Any]) -> Answer:
        """What RestoreObject answers, refusals too."""
        pinned = {} if version_id is None else {"VersionId": version_id}
        try:
            answer = self.client.restore_object(Bucket=self.bucket, Key=key, RestoreRequest=request, **pinned)
        except (boto.BotoCoreError, boto.ClientError) as problem:
            return boto_answer(problem)
        return Answer(answer["ResponseMetadata"]["HTTPStatusCode"])

    def put(
        self, key: str, data: bytes | memoryview, content_type: str | None, metadata: dict[str, str]
    ) -> tuple[str, str | None]:
        """Create the object if nothing has the key: its ETag, without quotes, and version."""
        facts = self.new_object(content_type, metadata)
        with translated(f"creating {key}", writing=True):
            answer = self.client.put_object(Bucket=self.bucket, Key=key, Body=bytes(data), IfNoneMatch="*", **facts)
        return answer["ETag"].strip('"'), answer.get("VersionId")

    def new_object(self, content_type: str | None, metadata: dict[str, str] | None) -> dict[str, Any]:
        """How boto3 is told what a new object is like."""
        facts = {"ContentType": content_type, "Metadata": metadata, "StorageClass": self.storage_class}
        return {name: value for name, value in facts.items() if value}


def _client(session: Any, config: LocationConfig) -> Any:
    checksums = "when_supported" if config.checksums else "when_required"
    return session.client(
        "s3",
        endpoint_url=config.endpoint,
        region_name=session.region_name or DEFAULT_REGION,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if config.endpoint else "auto"},
            request_checksum_calculation=checksums,
            response_checksum_validation=checksums,
            retries={"total_max_attempts": 1},
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            max_pool_connections=max(16, config.concurrency),
        ),
    )


def _revealed(config: LocationConfig, name: str) -> str | None:
    secret = getattr(config, name)
    return secret.get_secret_value() if secret is not None else None
