"""Objects as files of one directory."""

from __future__ import annotations

from pathlib import Path

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.local.store import LocalStore

__all__ = ["LocalStore", "open_store"]


def open_store(config: LocationConfig) -> LocalStore:
    return LocalStore(root=Path(config.bucket))
