"""GET /metrics: read from the ledger once in ten seconds at most, however many ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine

from bag_register.metrics.exposition import exposition
from bag_register.settings import Metrics
from bag_register.surroundings import Surroundings
from common.ledger.engine import snapshot
from common.ledger.standing import standing
from common.web.auth import Permission, needs, open_to_all
from common.web.contract import Answer, Said

FRESH = 10.0
"""Seconds for which figures are told again."""


class Scrapes:
    """What was read last; one thread reads at a time, the others wait for what it reads."""

    def __init__(self, engine: Engine, *, fresh: float = FRESH, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._fresh = fresh
        self._clock = clock
        self._lock = Lock()
        self._told = b""
        self._until = float("-inf")

    def page(self) -> bytes:
        """Raises LedgerUnavailable: old figures would hide that nobody knows."""
        with self._lock:
            if self._clock() >= self._until:
                began = self._clock()
                with snapshot(self._engine) as connection:
                    found = standing(connection)
                self._told = exposition(found, seconds=self._clock() - began)
                self._until = self._clock() + self._fresh
            return self._told


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /metrics, for those whom `Surroundings.metrics` names."""
    if around.metrics is Metrics.OFF:
        return
    scrapes = Scrapes(around.engine)

    def metrics() -> Response:
        return Response(scrapes.page(), headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    may = open_to_all() if around.metrics is Metrics.OPEN else needs(Permission.BAGS_READ)
    app.get("/metrics", summary="How everything stands now, in the text format of Prometheus", dependencies=[may])(
        metrics
    )


_EXAMPLE = """# HELP backfill_copies_damaged Copies whose last reading found other bytes or none
# TYPE backfill_copies_damaged gauge
backfill_copies_damaged{location="azure"} 0.0
"""
OPERATIONS = {
    "GET /metrics": Said({200: Answer("The figures", more={"text/plain": {"type": "string", "examples": [_EXAMPLE]}})})
}
