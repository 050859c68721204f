"""What azure-storage-blob does for one container: all that is not on the way of the bytes, and labels that headers
cannot say as they are.

Imported when it is first needed: the SDK takes a worker longer to start than everything else together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import ContainerClient, ContentSettings, StandardBlobTier
from requests.adapters import HTTPAdapter

from common.adapters.objects.azure.client import endpoint, identity
from common.adapters.objects.azure.sdk_errors import translated

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig


@dataclass(frozen=True, slots=True)
class Control:
    """Thread-safe; never retries."""

    client: ContainerClient
    access_tier: StandardBlobTier | None

    @classmethod
    def of(cls, config: LocationConfig) -> Control:
        """Sends nothing to the store. Raises ConfigurationError where no credentials can be found."""
        tier = config.access_tier
        return cls(_client(config), None if tier is None else StandardBlobTier(tier))

    def put(
        self, key: str, data: bytes | memoryview, content_type: str | None, metadata: dict[str, str]
    ) -> tuple[str, str | None]:
        """Create the blob if nothing has the name: its ETag, without quotes, and version."""
        with translated(f"creating {key}", writing=True):
            answer = self.client.get_blob_client(key).upload_blob(
                bytes(data),
                length=len(data),
                overwrite=False,
                content_settings=ContentSettings(content_type=content_type),
                **self.new_blob(metadata),
            )
        return answer["etag"].strip('"'), answer.get("version_id")

    def new_blob(self, metadata: dict[str, str]) -> dict[str, Any]:
        """How the SDK is told what a new blob is like."""
        facts = {"metadata": metadata or None, "standard_blob_tier": self.access_tier}
        return {name: value for name, value in facts.items() if value is not None}


def _client(config: LocationConfig) -> ContainerClient:
    return ContainerClient(
        endpoint(config),
        config.bucket,
        credential=_credential(config),
        transport=_transport(config),
        retry_total=0,
        connection_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        max_single_put_size=5000 * 2**20,
    )


def _transport(config: LocationConfig) -> RequestsTransport:
    """A pool with a connection for each thread; requests' own has ten, and throws the others away."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=max(16, config.concurrency), max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return RequestsTransport(session=session, session_owner=False)


def _credential(config: LocationConfig) -> Any:
    if config.account_key is not None:
        return {"account_name": config.account_name, "account_key": config.account_key.get_secret_value()}
    if config.sas_token is not None:
        return config.sas_token.get_secret_value().lstrip("?")
    return identity(config)
