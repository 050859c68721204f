"""Both APIs, and what a test arranges behind them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from typer.testing import Result

from common.domain.bag import BagVersion
from common.ledger.tables import imports
from unit.bag_register.builders import Register, a_bag
from unit.command_line import invoke


@dataclass(frozen=True)
class Deployment:
    register: Register
    api: str
    register_api: str

    def bag(self, identifier: str = "b1", *versions: int) -> None:
        """Registered versions of a bag, 1 unless others are named."""
        for number in versions or (1,):
            files = a_bag({"a.txt": b"hello"}, identifier=identifier)
            self.register.put(BagVersion.of("digitised", identifier, number), files)
        self.register.adopt()

    @contextmanager
    def working(self) -> Iterator[None]:
        """A worker that waits for one import to be asked for, and does it."""
        worker = threading.Thread(target=self._work_once, daemon=True)
        worker.start()
        yield
        worker.join(10)

    def _work_once(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for row in self.register.rows(imports):
                self.register.work(row["id"])
                return
            time.sleep(0.02)

    def cli(self, *arguments: str) -> Result:
        """What `backfill` says and how it ends."""
        return backfill("--api", self.api, "--register-api", self.register_api, *arguments)


def backfill(*arguments: str) -> Result:
    return invoke(list(arguments), env={"NO_COLOR": "1", "COLUMNS": "200"})
