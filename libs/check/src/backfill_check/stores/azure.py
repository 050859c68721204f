"""Azure Blob Storage through Microsoft's SDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from backfill_check.stores import Frozen, Gone, Listed, Unreachable
from common.adapters.objects.configuration import LocationConfig


class AzureReader:
    """Safe to share between threads."""

    def __init__(self, config: LocationConfig) -> None:
        account = config.account_name or ""
        url = config.endpoint or f"https://{account}.blob.core.windows.net"
        key = config.account_key or config.sas_token
        credential: Any = key.get_secret_value() if key else _managed()
        if config.account_key:
            credential = {"account_name": account, "account_key": config.account_key.get_secret_value()}
        self._container = ContainerClient(
            _account_url(url, account), config.bucket, credential=credential, connection_timeout=config.connect_timeout
        )

    def list(self, prefix: str, *, after: str = "") -> Iterator[Listed]:
        """Azure lists by name; what is not after `after` is passed over here."""
        begun = after.encode()
        with _told(prefix):
            for blob in self._container.list_blobs(name_starts_with=prefix, results_per_page=5000):
                if blob.name.encode() > begun:
                    yield Listed(blob.name, blob.size, (blob.etag or "").strip('"'))

    def size(self, key: str) -> int:
        with _told(key):
            return int(self._container.get_blob_client(key).get_blob_properties().size)

    def read(self, key: str) -> Iterator[bytes]:
        with _told(key):
            yield from self._container.download_blob(key).chunks()


def _account_url(url: str, account: str) -> str:
    """An emulator's address has the account as its path."""
    local = urlsplit(url).hostname in ("127.0.0.1", "localhost")
    return f"{url}/{account}" if local and not urlsplit(url).path else url


def _managed() -> Any:
    try:
        from azure.identity import DefaultAzureCredential  # type: ignore[import-untyped]
    except ImportError:
        raise Unreachable("without account_key or sas_token the package azure-identity is needed") from None
    return DefaultAzureCredential()


@contextmanager
def _told(key: str) -> Iterator[None]:
    try:
        yield
    except ResourceNotFoundError as error:
        raise Gone(key) from error
    except HttpResponseError as error:
        if getattr(error, "error_code", None) == "BlobArchived":
            raise Frozen(key) from error
        raise Unreachable(f"{key}: {error.message}") from error
    except AzureError as error:
        raise Unreachable(f"{key}: {error}") from error
