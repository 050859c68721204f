"""The threads that move campaigns on and audit requirements.

Every process of the API has them; the ledger lets one of them at a campaign or requirement.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import Engine

from common.ledger.campaigns.advancing import Pipeline, advance
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.requirements.auditing import audit_next
from common.runtime.leases import every

log = structlog.get_logger()

PERIOD = 1.0
"""Seconds between two looks when there is nothing to do but wait."""


def keep_campaigns(
    *,
    engine: Engine,
    pipeline: Pipeline,
    patience: Patience,
    wake_relay: Callable[[], None],
    until: threading.Event,
    period: float = PERIOD,
) -> threading.Thread:
    """Look after all campaigns until the event is set."""

    def look() -> None:
        while not until.is_set():
            with transaction(engine) as connection:
                looked = advance(connection, pipeline=pipeline, patience=patience)
            if looked.let_in:
                log.info("let in", ingests=looked.let_in)
                wake_relay()
            if not looked.busy:
                return

    return every(period, look, until=until, name="campaigns")


def keep_auditing(
    *, engine: Engine, period: timedelta, new_id: Callable[[], UUID], until: threading.Event, look_every: float = 10.0
) -> threading.Thread:
    """Audit every requirement once a `period`, in any one process, until the event is set."""

    def audit() -> None:
        while not until.is_set():
            with transaction(engine) as connection:
                audited = audit_next(connection, period=period, new_id=new_id())
            if audited is None:
                return
            log.info("audited", requirement=audited)

    return every(look_every, audit, until=until, name="audit")
