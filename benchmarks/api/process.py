"""A service as a process of its own, with its memory and CPU watched, and the CPU of its database."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.api.cpu import seconds_of_tree

from local_stack.servers.child import start_child
from local_stack.servers.ports import answers, free_port
from local_stack.servers.postgres import Postgres

_PLACES = """
[locations.archive]
provider = "amazon-s3"
bucket = "archive"
title = "Glacier"

[locations.azure]
provider = "azure-blob-storage"
account_name = "benchmark"
account_key = "YmVuY2htYXJr"
bucket = "replicas"
title = "Azure"

[locations.second]
provider = "azure-blob-storage"
account_name = "benchmark"
account_key = "YmVuY2htYXJr"
bucket = "second"
title = "Second"
"""


class Service:
    """Runs with the settings that it has where nobody sets any: authentication, limits and logs included."""

    def __init__(self, name: str, server: Postgres, folder: Path) -> None:
        self.port = free_port()
        self.dsn = server.address.url
        self._database = server.pid
        self._log = folder / f"{name}.log"
        places = folder / "locations.toml"
        places.write_text(_PLACES)
        environment = {
            **os.environ,
            "BACKFILL_DATABASE_URL": server.address.url,
            "BACKFILL_LOCATIONS": str(places),
            "BACKFILL_HTTP_PORT": str(self.port),
            "BACKFILL_RECORDS": str(folder / "records"),
            "BACKFILL_EVIDENCE_CHECKPOINTS": str(folder / "checkpoints"),
            "BACKFILL_DIGESTS": str(folder / "digests"),
            "BACKFILL_LOG_FORMAT": "json",
        }
        self._child = start_child(name, [sys.executable, "-m", name], log=self._log, env=environment)
        self._child.wait_until(lambda: answers(self.port), seconds=120)

    @property
    def peak(self) -> float:
        """The most memory until now, in MiB."""
        return self._memory("VmHWM:")

    @property
    def memory(self) -> float:
        """As it is now, in MiB."""
        return self._memory("VmRSS:")

    def _memory(self, which: str) -> float:
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith(which))
        return int(resident.split()[1]) / 1024

    def cpu(self) -> tuple[float, float]:
        """Seconds that the service and PostgreSQL have used until now."""
        return seconds_of_tree(self._child.pid), seconds_of_tree(self._database)

    def told(self) -> str:
        """The end of its log."""
        return self._log.read_text()[-4000:]

    def stop(self) -> None:
        self._child.stop()
