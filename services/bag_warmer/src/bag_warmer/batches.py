"""What segments have gathered for batches, in the ledger; and the chore that sends batches and hears of their end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Engine

from bag_warmer.batching import SETTLES_WITHIN, Gathered
from bag_warmer.billing import Billing
from common.domain.location import LocationId
from common.errors import (
    AccessDenied,
    BackfillError,
    NotFound,
    NotRestorable,
    RefusedByStore,
    StoreUnavailable,
    Throttled,
)
from common.ledger import batch_bills, restore_batches, restores
from common.ledger.batch_bills import Taken
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.restore_batches import Batch
from common.ledger.thawing import asking
from common.ledger.thawing.asking import Bill
from common.ports import BatchOrder, BatchRestores, Family, ObjectInfo, Restore, Tier
from common.thawing.costs import Amount
from common.thawing.warmth import class_of

log = structlog.get_logger()

_ERRORS = {
    error.code: error for error in (AccessDenied, NotFound, NotRestorable, RefusedByStore, StoreUnavailable, Throttled)
}


class LedgerRequests:
    """Requests in the ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, segment_id: int) -> Mapping[Family, Gathered]:
        """By family; none where nothing was gathered."""
        with transaction(self._engine) as connection:
            found = restore_batches.of_segment(connection, segment_id)
        return {Family(row.family): _gathered(row) for row in found}

    def gather(
        self,
        segment_id: int,
        *,
        family: Family,
        objects: list[ObjectInfo],
        tier: Tier,
        days: int | None,
        tag: str | None,
    ) -> None:
        """Have these asked for with others; once for a segment and family."""
        with transaction(self._engine) as connection:
            restore_batches.offer(
                connection,
                segment_id=segment_id,
                objects=[(info.key, info.version_id) for info in objects],
                amounts=[(class_of(info), info.size) for info in objects],
                family=family.value,
                tier=tier.value,
                days=days,
                tag=tag,
            )


def _gathered(row: Any) -> Gathered:
    settled = row.state == "done" and row.since > SETTLES_WITHIN.total_seconds()
    return Gathered(
        keys=frozenset(key for key, _ in row.objects),
        over=settled or row.state == "direct",
        failures={key: read_answer(noted) for key, noted in row.failures.items()},
    )


def note_answer(answer: Restore | BackfillError) -> list[str]:
    """As JSON."""
    return ["answer", answer.value] if isinstance(answer, Restore) else ["error", answer.code, str(answer)]


def read_answer(noted: list[str]) -> Restore | BackfillError:
    """What :func:`note_answer` wrote."""
    if noted[0] == "answer":
        return Restore(noted[1])
    return _ERRORS.get(noted[1], RefusedByStore)(noted[2])


@dataclass(frozen=True, slots=True)
class Send:
    """The chore of one location. Any number of processes may do it at once: a batch is known by its token."""

    engine: Engine
    location_id: str
    store: BatchRestores
    threshold: int
    gather: timedelta
    billing: Billing
    patience: Patience

    def __call__(self) -> None:
        with transaction(self.engine) as connection:
            alone = restore_batches.plan(
                connection, location_id=self.location_id, threshold=self.threshold, gather=self.gather
            )
        self._wake(alone)
        self._send_all()
        self._look_at_all()
        self._bill_all()

    def _send_all(self) -> None:
        with transaction(self.engine) as connection:
            waiting = [
                (batch, restore_batches.objects_of(connection, batch))
                for batch in restore_batches.unsent(connection, location_id=self.location_id)
            ]
        for batch, objects in waiting:
            # Sent before it is noted: whoever sends it again gets the same batch from the store.
            order = BatchOrder(batch.token, objects, Tier(batch.tier), batch.days, batch.tag)
            store_id = self.store.submit(order)
            with transaction(self.engine) as connection:
                restore_batches.sent(connection, batch, store_id=store_id)
            log.info("batch sent", location=self.location_id, batch=batch.id, store_id=store_id, objects=len(objects))

    def _look_at_all(self) -> None:
        with transaction(self.engine) as connection:
            due = restore_batches.due(connection, location_id=self.location_id)
        for batch in due:
            self._look(batch)

    def _look(self, batch: Batch) -> None:
        assert batch.store_id is not None, "a batch is sent when the store has named it"
        status = self.store.look(batch.store_id)
        if not status.ended:
            with transaction(self.engine) as connection:
                restore_batches.looked(connection, batch, status=status.name)
            return
        failures = {key: note_answer(answer) for key, answer in self.store.failures(batch.store_id, batch.token)}
        with transaction(self.engine) as connection:
            woken = restore_batches.ended(
                connection, batch, status=status.name, why=status.why, failures=failures, complete=status.complete
            )
        log.info("batch ended", location=self.location_id, batch=batch.id, status=status.name, failed=len(failures))
        self._wake(woken)

    def _bill_all(self) -> None:
        """One by one: each in the books together with the note that it is there."""
        with transaction(self.engine) as connection:
            open_ = batch_bills.unbilled(connection, location_id=self.location_id)
        for taken in open_:
            with transaction(self.engine) as connection:
                if batch_bills.enter(connection, taken):
                    asking.record(
                        connection,
                        kind="segment",
                        row_id=taken.segment_id,
                        ingest_id=taken.ingest_id,
                        location=self.location_id,
                        bills=self._bills(taken),
                    )

    def _bills(self, taken: Taken) -> list[Bill]:
        source, tier = LocationId(self.location_id), Tier(taken.tier)
        return [
            self.billing.bill(
                source, storage_class=name, tier=tier, days=taken.days, amount=Amount(number, taken.bytes[name])
            )
            for name, number in sorted(taken.objects.items())
        ]

    def _wake(self, segments: list[int]) -> None:
        for segment_id in sorted(set(segments)):
            with transaction(self.engine) as connection:
                restores.wake(connection, kind="segment", row_id=segment_id, patience=self.patience)
