"""The S3 server with cold storage (`local_stack.cold_s3`) as a process of its own, and its remote control."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx

from local_stack.servers.child import Child, start_child
from local_stack.servers.lifetime import Server
from local_stack.servers.places import Place
from local_stack.servers.ports import free_port
from local_stack.servers.s3_address import S3Address

_READY_SECONDS = 60.0
_ACCESS_KEY_ID = "backfill"
_SECRET_ACCESS_KEY = "backfill-local"  # the server checks no signatures: nothing to keep secret


class ColdControl:
    """Drives a cold S3 server's clock and faults. One simulated clock decides about every restore."""

    def __init__(self, endpoint: str) -> None:
        self._http = httpx.Client(base_url=endpoint, timeout=30, trust_env=False)

    def now(self) -> datetime:
        """The simulated time."""
        return datetime.fromisoformat(self._get("clock")["now"])

    def advance(self, *, hours: float = 0, days: float = 0) -> datetime:
        """Let simulated time pass at once; events of restores that end meanwhile are sent. Returns the new time."""
        seconds = timedelta(hours=hours, days=days).total_seconds()
        return datetime.fromisoformat(self._post("clock", {"advance_seconds": seconds})["now"])

    def set_ratio(self, ratio: float) -> None:
        """Simulated seconds per real second, from now on; 0 freezes the clock."""
        self._post("clock", {"ratio": ratio})

    def freeze(self) -> None:
        """Only `advance` moves the clock from now on."""
        self.set_ratio(0)

    def put_in_archive_tier(self, *, bucket: str, key: str, tier: str | None, version_id: str | None = None) -> None:
        """Move an INTELLIGENT_TIERING object to ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS; None: to Frequent Access."""
        self._post("archive-tier", {"bucket": bucket, "key": key, "tier": tier, "version_id": version_id})

    def set_faults(self, *, slow_down: int = 0, no_expedited_capacity: bool = False) -> None:
        """The next `slow_down` restore requests answer 503 SlowDown; Expedited has no capacity until set again."""
        self._post("faults", {"slow_down": slow_down, "no_expedited_capacity": no_expedited_capacity})

    def requests(self, bucket: str) -> dict[str, dict[str, int]]:
        """How often each key of the bucket was asked for, by operation: {"a.txt": {"restore": 2, "get": 1}}."""
        found: dict[str, dict[str, int]] = self._get("requests", {"bucket": bucket})
        return found

    def close(self) -> None:
        self._http.close()

    def _get(self, what: str, query: Mapping[str, str] | None = None) -> Any:
        return self._http.get(f"/_cold/{what}", params=dict(query or {})).raise_for_status().json()

    def _post(self, what: str, body: Mapping[str, Any]) -> Any:
        return self._http.post(f"/_cold/{what}", json=dict(body)).raise_for_status().json()


class ColdS3(Server):
    """One S3 (and SQS) server on loopback whose archived objects must be thawed. All is in memory, gone at the end.

    `ratio`: simulated seconds per real second, so that 3600 thaws a 4-hour restore in 4 seconds; 0 is frozen.
    """

    def __init__(self, *, port: int | None = None, log: Path | None = None, ratio: float = 3600) -> None:
        self._place = Place(None, name="s3")
        self._port = port or free_port()
        self._log = log or self._place.path / "s3.log"
        self._ratio = ratio
        self._child: Child | None = None

    @property
    def address(self) -> S3Address:
        return S3Address(f"http://127.0.0.1:{self._port}", _ACCESS_KEY_ID, _SECRET_ACCESS_KEY)

    @property
    def endpoint(self) -> str:
        return self.address.endpoint

    @property
    def access_key_id(self) -> str:
        return _ACCESS_KEY_ID

    @property
    def secret_access_key(self) -> str:
        return _SECRET_ACCESS_KEY

    @property
    def region(self) -> str:
        return self.address.region

    def start(self) -> Self:
        command = [sys.executable, "-m", "local_stack.cold_s3", "--port", str(self._port), "--ratio", str(self._ratio)]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(self._place.path)}
        self._child = start_child("The S3 server", command, log=self._log, env=environment)
        self._child.wait_until(self._ready, seconds=_READY_SECONDS)
        return self

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        self._place.clear()

    def control(self) -> ColdControl:
        """A new client of the clock and the faults."""
        return ColdControl(self.endpoint)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/_cold/clock", timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
