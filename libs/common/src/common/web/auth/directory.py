"""Clients and API keys as the ledger has them, remembered for a few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine

from common.ledger import clients
from common.ledger.clients import Client
from common.ledger.engine import transaction

REMEMBERED = 10.0
"""Seconds; a revocation takes effect everywhere within them."""
_MOST = 10_000


class Directory:
    """Safe to share between threads."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[str, tuple[float, Client]] = {}
        self._lock = threading.Lock()

    def remembered(self, client_id: str) -> Client | None:
        """None where the ledger has to be asked."""
        now = self._clock()
        with self._lock:
            at, found = self._known.get(client_id, (now - REMEMBERED, None))
        return found if now - at < REMEMBERED else None

    def usable(self, client_id: str) -> Client | None:
        """None where it is unknown, revoked or expired. Notes the use. Raises LedgerUnavailable."""
        if found := self.remembered(client_id):
            return found
        now = self._clock()
        with transaction(self._engine) as connection:
            current = clients.find_usable(connection, client_id)
            if current is not None:
                clients.note_use(connection, [client_id])
        self._remember(client_id, current, now)
        return current

    def _remember(self, client_id: str, client: Client | None, now: float) -> None:
        # What does not exist is not remembered: strangers must not fill the memory, and new clients work at once.
        with self._lock:
            self._known.pop(client_id, None)
            if client is None:
                return
            if len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[client_id] = (now, client)
