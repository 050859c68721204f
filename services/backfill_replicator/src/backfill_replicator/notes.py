"""Which uploads a segment's attempts have begun."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Notes:
    """Which uploads are under way, remembered with the segment so that a later attempt takes them up."""

    def __init__(self, *, earlier: dict[str, str], remember: Callable[[dict[str, str]], None]) -> None:
        self._uploads = dict(earlier)
        self._remember = remember
        self._lock = threading.Lock()

    def upload_of(self, key: str) -> str | None:
        with self._lock:
            return self._uploads.get(key)

    def started(self, key: str, upload_id: str) -> None:
        with self._lock:
            self._uploads[key] = upload_id
            self._remember(dict(self._uploads))

    def ended(self, key: str) -> None:
        """The upload was committed or aborted. Kept in memory only: a stale note does no harm."""
        with self._lock:
            self._uploads.pop(key, None)
