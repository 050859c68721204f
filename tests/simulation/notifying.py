"""The notifier, and those whom it calls: the product's own claims, schedule, documents and signatures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.errors import LedgerUnavailable
from common.ledger.callbacks import take_due
from common.ledger.engine import transaction
from ingests_api.notifier import LEASE, Sender, deliver
from ingests_api.sending import DEADLINE, Reply
from invariants import Violation
from simulation.ledger import Ledger
from simulation.world import Process, World

_SECRET = "whsec_c2ltdWxhdGVkIHNlY3JldCBvZiB0aGUgc2VlZA=="
_FAULTS = ("callback_refused", "callback_hangs", "callback_unheard", "callback_gone")


@dataclass(eq=False)
class Callees:
    """Everybody who is called back. Nothing may be told that the ledger does not say: S10."""

    world: World
    ledger: Ledger
    violations: list[Violation]
    """Where what is found goes."""
    _ids: dict[str, set[str]] = field(default_factory=dict)

    def notify(self, process: Process, engine: Any) -> None:
        """What the process called notifier does for ever."""
        sender = Sender(
            post=lambda url, *, body, headers: self._post(process, body, headers),
            secrets=(_SECRET,),
            clock=lambda: self.world.clock,
            worker=process.name,
        )
        while True:
            due = self.ledger.seconds_to_callback(self.world.clock.isoformat())
            if due is None or due > 0:
                self.world.sleep(None if due is None else due + 0.01)
                continue
            try:
                with transaction(engine) as connection:
                    owed = take_due(connection, worker=process.name, lease=LEASE, at_most=2)
            except LedgerUnavailable:
                self.world.sleep(1 + self.world.random.random())
                continue
            for one in owed:
                deliver(engine, sender, one)

    def _post(self, process: Process, body: bytes, headers: Mapping[str, str]) -> Reply:
        fault = process.point("callback", *_FAULTS)
        match fault.kind if fault else "":
            case "callback_refused":
                return Reply(503, "HTTP 503")
            case "callback_hangs":
                self.world.sleep(DEADLINE)
                return Reply(None, "no answer within 15 s")
            case "callback_unheard":
                self._hear(body, headers)
                self.world.sleep(DEADLINE)
                return Reply(None, "no answer within 15 s")
            case "callback_gone":
                return Reply(410, "HTTP 410")
        self._hear(body, headers)
        return Reply(200)

    def _hear(self, body: bytes, headers: Mapping[str, str]) -> None:
        told = json.loads(body)
        ingest, said = told["id"], told["status"]["id"]
        self.world.say(f"callback says {ingest} has {said}")
        found = self.ledger.raw.execute("SELECT status, finished_at FROM ingests WHERE id = %s", (ingest,)).fetchone()
        if found is None or found[0] != said or found[1] is None:
            self.violations.append(Violation("S10", ingest, f"the callback says {said}, the ledger {found}"))
        ids = self._ids.setdefault(ingest, set())
        ids.add(headers["webhook-id"])
        if len(ids) > 1:
            self.violations.append(Violation("S10", ingest, f"told under several ids: {', '.join(sorted(ids))}"))
