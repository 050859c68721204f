"""URLs by which anybody may read one blob for an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from azure.storage.blob import BlobSasPermissions, generate_blob_sas

from common.adapters.objects.azure.client import endpoint

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig

_LIVES = timedelta(hours=1)


def signed_url(config: LocationConfig, key: str) -> str:
    """Signed with the account's key, which the location has."""
    assert config.account_key is not None
    token = generate_blob_sas(
        account_name=config.account_name or "",
        container_name=config.bucket,
        blob_name=key,
        account_key=config.account_key.get_secret_value(),
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + _LIVES,
    )
    return f"{endpoint(config)}/{config.bucket}/{quote(key)}?{token}"
