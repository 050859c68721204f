"""Keeping leases alive from a side thread, and telling steps when a row is not theirs any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Engine

from common.errors import ClaimLost, LedgerUnavailable
from common.jobs import Interrupted
from common.ledger import claims
from common.ledger.claims import Claim
from common.ledger.engine import transaction

log = structlog.get_logger()


class Grip:
    """A worker's hold on one row: the :class:`common.jobs.Hold` that steps are given."""

    def __init__(self, *, engine: Engine, claim: Claim, stopping: threading.Event) -> None:
        self.claim = claim
        self.lost = threading.Event()
        self._engine = engine
        self._stopping = stopping

    def checkpoint(self) -> None:
        if self.lost.is_set():
            raise ClaimLost(f"{self.claim.kind} {self.claim.row_id} is another worker's now")
        if self._stopping.is_set():
            raise Interrupted

    def remember(self, **notes: Any) -> None:
        with transaction(self._engine) as connection:
            claims.remember(connection, self.claim, notes)


class Leases:
    """Renews every lease of this process three times in its length."""

    def __init__(self, *, engine: Engine, lease: timedelta, stopping: threading.Event) -> None:
        self._engine = engine
        self._lease = lease
        self._stopping = stopping
        self._held: dict[tuple[str, int], Grip] = {}
        self._lock = threading.Lock()

    def grip(self, claim: Claim) -> Grip:
        grip = Grip(engine=self._engine, claim=claim, stopping=self._stopping)
        with self._lock:
            earlier = self._held.get((claim.kind, claim.row_id))
            self._held[claim.kind, claim.row_id] = grip
        if earlier is not None:
            # This process lost the row while it was busy with it, and has claimed it anew.
            earlier.lost.set()
        return grip

    def drop(self, claim: Claim) -> None:
        """No more renewals of this claim; a later claim of the same row is another one."""
        with self._lock:
            held = self._held.get((claim.kind, claim.row_id))
            if held is not None and held.claim.fence == claim.fence:
                del self._held[claim.kind, claim.row_id]

    @property
    def period(self) -> float:
        """Seconds between two renewals."""
        return self._lease.total_seconds() / 3

    def renew_all(self) -> None:
        """One round. A ledger that cannot be reached is no reason to stop: the fence decides at the end."""
        with self._lock:
            held = list(self._held.values())
        for grip in held:
            self._renew(grip)

    def _renew(self, grip: Grip) -> None:
        bound = log.bind(kind=grip.claim.kind, row=grip.claim.row_id, fence=grip.claim.fence)
        try:
            with transaction(self._engine) as connection:
                ours = claims.renew(connection, grip.claim, lease=self._lease)
        except LedgerUnavailable as error:
            bound.warning("lease not renewed", error=str(error))
        except Exception:
            # One row's trouble must not cost the others their leases.
            bound.exception("lease not renewed")
        else:
            if not ours and self._still_held(grip):
                grip.lost.set()
                bound.warning("claim lost")

    def _still_held(self, grip: Grip) -> bool:
        with self._lock:
            return self._held.get((grip.claim.kind, grip.claim.row_id)) is grip


def every(seconds: float, action: Callable[[], None], *, until: threading.Event, name: str) -> threading.Thread:
    """Start a thread that calls `action` every `seconds` until the event is set. An error is logged, not fatal."""

    def run() -> None:
        while not until.wait(seconds):
            try:
                action()
            except LedgerUnavailable as error:
                log.warning("ledger unavailable", task=name, error=str(error))
            except Exception:
                log.exception("task failed", task=name)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
