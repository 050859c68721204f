"""Listening to what a store tells by itself of restores: from its queue into the ledger."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Engine

from bag_warmer.telling import NotAnEvent, read_events
from common.domain.restore import RestoreEvent
from common.errors import BackfillError
from common.ledger import failing, restores
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ports import Letter, RestoreQueue

log = structlog.get_logger()

WAIT = 20.0
"""Seconds that one request waits for a message."""
_PAUSE = 5.0
"""Seconds after something went wrong."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Listens to one queue. What it does not understand becomes a dead letter; what it cannot keep comes again."""

    engine: Engine
    queue: RestoreQueue
    name: str
    """The queue's, for people."""
    buckets: Collection[str]
    """Of our locations; what is told of others is passed over."""
    patience: Patience

    def listen(self, until: threading.Event) -> None:
        """Until the event is set, or the process ends: a message that was not finished with comes again."""
        log.info("listening to restores", queue=self.name)
        while not until.is_set():
            try:
                self.once(wait=WAIT)
            except BackfillError as error:
                log.warning("restores are not heard of", queue=self.name, error=str(error))
                until.wait(_PAUSE)
            except Exception:
                log.exception("restores are not heard of", queue=self.name)
                until.wait(_PAUSE)

    def once(self, *, wait: float) -> int:
        """Deal with the messages of one request; returns how many there were."""
        letters = self.queue.receive(wait=wait)
        if not letters:
            return 0
        events = [event for letter in letters for event in self._read(letter) if event.bucket in self.buckets]
        with transaction(self.engine) as connection:
            ready = restores.hear(connection, events)
        for kind, row_id in ready:
            with transaction(self.engine) as connection:
                restores.wake(connection, kind=kind, row_id=row_id, patience=self.patience)
        self.queue.forget(letters)
        if events:
            log.info("restores heard of", queue=self.name, events=len(events), woken=len(ready))
        return len(letters)

    def _read(self, letter: Letter) -> list[RestoreEvent]:
        try:
            return read_events(letter.body)
        except NotAnEvent as error:
            with transaction(self.engine) as connection:
                body = letter.body.encode(errors="surrogatepass")
                failing.dead_letter(connection, queue=self.name, body=body, code="not_an_event", reason=str(error))
            log.error("message refused", queue=self.name, reason=str(error))
            return []


KEEP = timedelta(days=7)
"""How long events are kept: longer than any row is held."""


@dataclass(frozen=True, slots=True)
class Forget:
    """The chore of forgetting old events."""

    engine: Engine

    def __call__(self) -> None:
        with transaction(self.engine) as connection:
            restores.sweep(connection, keep=KEEP)
