"""The chore that has copies read again as they come due, and says what is overdue or bad."""

from __future__ import annotations

import structlog
from sqlalchemy import Engine

from common.ledger.engine import transaction
from common.ledger.fixity import reporting, scheduling
from common.ledger.fixity.scheduling import ADOPTED

log = structlog.get_logger()


def keep_fixity(engine: Engine) -> None:
    """Look until every copy has its place in time; then tell, as long as it is so, what is overdue and what is bad."""
    adopted = begun = 0
    while True:
        with transaction(engine) as connection:
            looked = scheduling.look(connection)
        adopted, begun = adopted + looked.adopted, begun + looked.begun
        if looked.adopted < ADOPTED:
            break
    if adopted or begun:
        log.info("fixity", scheduled=adopted, begun=begun)
    _tell(engine)


def _tell(engine: Engine) -> None:
    with transaction(engine) as connection:
        found, health = reporting.totals(connection), reporting.health(connection)
    for policy, totals in found:
        if totals.overdue:
            place = {"location": policy.location_id, "space": policy.space}
            log.warning("copies are overdue", alert="copies_overdue", copies=totals.overdue, **place)
    for location, counts in health.items():
        if bad := counts.get("bad"):
            log.error("copies are bad", alert="copies_bad", location=location, copies=bad)
