"""The worker loop: claim → ack → work while the lease is renewed → result and next hints in one transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

from common import messages
from common.errors import (
    BackfillError,
    BrokerUnavailable,
    ClaimLost,
    ConfigurationError,
    DiskFull,
    LedgerUnavailable,
    StoreError,
    TransientError,
)
from common.jobs import Interrupted, Job
from common.ledger import claims, failing, settling
from common.ledger.beginning import Begun, begin
from common.ledger.claims import Claim, Patience
from common.ledger.engine import transaction
from common.outcome import Outcome, Rejected, describe
from common.ports import Courier, Delivery
from common.runtime.housekeeping import OpenCourier, Relay, make_room
from common.runtime.leases import Leases
from common.topology import Stage, in_turn, stage_of_queue

log = structlog.get_logger()

Step = Callable[[Any], Outcome]
"""Takes the job of its stage's kind (ReplicaJob, SegmentJob or ImportJob)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who works: the names that claims, evidence and logs carry."""

    worker: str
    build: str


class Worker:
    """Listens to a service's queues and runs its steps."""

    def __init__(
        self,
        *,
        engine: Engine,
        open_courier: OpenCourier,
        queues: Sequence[str],
        steps: Mapping[Stage, Step],
        identity: Identity,
        patience: Patience,
        relay: Relay,
        leases: Leases,
        stopping: threading.Event,
        concurrency: int,
        random: Random,
        pool: Executor | None = None,
    ) -> None:
        """`pool` runs the steps; threads where it is left out."""
        self._engine = engine
        self._open = open_courier
        self._queues = list(queues)
        self._taken = 0
        self._steps = steps
        self._identity = identity
        self._patience = patience
        self._relay = relay
        self._leases = leases
        self._stopping = stopping
        self._random = random
        self._free = threading.Semaphore(concurrency)
        self._pool = pool or ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="step")
        self._running: set[Future[None]] = set()
        self.last_contact = time.monotonic()
        """When the loop last came round; liveness looks at it."""
        self.connected = False
        """Whether the last contact with broker and ledger went well; readiness looks at it."""
        self.disk_full = False
        """Whether the last step that ended found no room for temporary files; readiness looks at it."""

    def run(self, *, stop_within: timedelta) -> None:
        """Work until `stopping` is set, then let running steps reach their next checkpoint."""
        while not self._stopping.is_set():
            courier: Courier | None = None
            try:
                courier = self._open()
                courier.declare(self._queues)
                self._listen(courier)
            except (BrokerUnavailable, LedgerUnavailable) as error:
                self.connected = False
                log.warning("cannot listen", error=str(error))
                self._pause()
            except ConfigurationError:
                raise
            except Exception:
                # Our mistake or the broker's, but other rows are being worked on: they must reach their end.
                self.connected = False
                log.exception("cannot listen")
                self._pause()
            finally:
                if courier is not None:
                    _close(courier)
        self._finish(stop_within.total_seconds())

    def _pause(self) -> None:
        self._stopping.wait(0.5 + self._random.random())

    def _listen(self, courier: Courier) -> None:
        while not self._stopping.is_set():
            self.last_contact = time.monotonic()
            delivery = None
            # With every hand full, the broker is still contacted (that keeps heartbeats alive), for no queue at all.
            if self._free.acquire(timeout=0.05):
                try:
                    delivery = courier.receive(in_turn(self._queues, self._taken), wait=1.0)
                finally:
                    if delivery is None:
                        self._free.release()
            else:
                courier.receive([], wait=0.05)
            self.connected = True
            if delivery is not None:
                self._taken += 1
                self._act_on(courier, delivery)

    def _act_on(self, courier: Courier, delivery: Delivery) -> None:
        """Claim what the hint speaks of, ack, start the step. A step that was started frees its hand itself."""
        begun: Begun | None = None
        try:
            begun = self._claimed(delivery)
            courier.ack(delivery)
        except LedgerUnavailable:
            courier.give_back(delivery)
            raise
        finally:
            # Also where the ack failed: the row is ours by now, and the hint finds nothing when it comes again.
            if begun is None:
                self._free.release()
            else:
                self._start(begun)

    def _claimed(self, delivery: Delivery) -> Begun | None:
        """The row that the message speaks of; None where there is nothing to do, and the message may be forgotten."""
        stage = stage_of_queue(delivery.queue)
        try:
            hint = messages.decode(delivery.body)
        except messages.NotAHint as error:
            self._refuse(delivery, reason=str(error))
            return None
        if not isinstance(hint, stage.hint):
            self._refuse(delivery, reason=f"{type(hint).__name__} does not belong on this queue")
            return None
        try:
            begun = self._begin(stage, hint.row_id)
        except LedgerUnavailable:
            raise
        except Exception as error:
            log.exception("cannot begin", stage=stage.name, row=hint.row_id)
            self._after_bad_beginning(stage, hint.row_id, error)
            return None
        if begun is None:
            log.debug("nothing to claim", stage=stage.name, row=hint.row_id)
        return begun

    def _begin(self, stage: Stage, row_id: int) -> Begun | None:
        with transaction(self._engine) as connection:
            return begin(
                connection,
                stage=stage,
                row_id=row_id,
                worker=self._identity.worker,
                patience=self._patience,
            )

    def _after_bad_beginning(self, stage: Stage, row_id: int, error: Exception) -> None:
        """A row whose facts cannot even be read counts its attempts too, or it would be hinted at for ever."""
        with transaction(self._engine) as connection:
            claim = claims.take(
                connection, stage=stage, row_id=row_id, worker=self._identity.worker, patience=self._patience
            )
        if claim is not None:
            self._after_unexpected(claim, error)

    def _refuse(self, delivery: Delivery, *, reason: str) -> None:
        with transaction(self._engine) as connection:
            failing.dead_letter(connection, queue=delivery.queue, body=delivery.body, code="not_a_hint", reason=reason)
        log.error("message refused", queue=delivery.queue, reason=reason)

    def _start(self, begun: Begun) -> None:
        future = self._pool.submit(self._work, begun)
        self._running.add(future)
        future.add_done_callback(self._done)

    def _done(self, future: Future[None]) -> None:
        self._running.discard(future)
        self._free.release()

    def _work(self, begun: Begun) -> None:
        claim = begun.claim
        grip = self._leases.grip(claim)
        bound = log.bind(stage=claim.stage.name, row=claim.row_id, fence=claim.fence, attempt=claim.attempt)
        started = time.monotonic()
        try:
            if begun.others_wait:
                make_room(engine=self._engine, claim=claim, patience=self._patience, relay=self._relay)
            job = begun.job(hold=grip, build=self._identity.build)
            bound = bound.bind(ingest_id=str(getattr(job, "ingest_id", "")), bag=str(getattr(job, "bag", "")))
            said = self._settle(claim, self._steps[claim.stage], job)
            bound.info("step", outcome=said, seconds=round(time.monotonic() - started, 3))
        except ClaimLost as error:
            bound.warning("step", outcome="claim lost", error=str(error))
        except LedgerUnavailable as error:
            # Nothing is known to be committed; the lease's end gives the row to somebody.
            bound.warning("step", outcome="ledger unavailable", error=str(error))
        except Exception as error:
            bound.exception("step", outcome="unexpected error")
            self._after_unexpected(claim, error)
        finally:
            self._leases.drop(claim)
            self._relay.wake()

    def _settle(self, claim: Claim, step: Step, job: Job) -> str:
        try:
            outcome = step(job)
        except Interrupted:
            with self._ending(claim) as connection:
                settling.let_go(connection, claim)
            return "interrupted"
        except LedgerUnavailable:
            raise
        except TransientError as error:
            self.disk_full = isinstance(error, DiskFull)
            self._try_again(claim, f"{type(error).__name__}: {error}")
            return f"transient: {error}"
        except StoreError as error:
            outcome = _refused(error)
        if not isinstance(outcome, Outcome):
            raise TypeError(f"the step of {claim.stage.name} answered {outcome!r}, which is no outcome")
        with self._ending(claim) as connection:
            settling.settle(connection, claim, outcome, patience=self._patience, build=self._identity.build)
        self.disk_full = False
        return describe(outcome)

    @contextmanager
    def _ending(self, claim: Claim) -> Iterator[Connection]:
        """The transaction that ends a claim. From here the row's own lock holds others off: a renewal would wait for
        it, and all other leases with it."""
        self._leases.drop(claim)
        with transaction(self._engine) as connection:
            yield connection

    def _try_again(self, claim: Claim, why: str) -> None:
        with self._ending(claim) as connection:
            failing.try_again(connection, claim, why=why, patience=self._patience, random=self._random)

    def _after_unexpected(self, claim: Claim, error: Exception) -> None:
        """Our own mistake: back off like after a transient error, so that it is retried and then buried, loudly."""
        told = str(error) if isinstance(error, BackfillError) else f"{type(error).__name__}; see the worker's log"
        try:
            self._try_again(claim, f"an unexpected error: {told}")
        except BackfillError as problem:
            log.warning("the lease's end will give the row back", row=claim.row_id, error=str(problem))
        except Exception:
            log.exception("the lease's end will give the row back", row=claim.row_id)

    def _finish(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._running:
            log.warning("stopped while working", rows=len(self._running))
        self._pool.shutdown(wait=False, cancel_futures=True)


def _refused(error: StoreError) -> Rejected:
    return Rejected(code=error.code, why=str(error), for_user=str(error))


def _close(courier: Courier) -> None:
    try:
        courier.close()
    except Exception as error:
        log.debug("courier did not close", error=str(error))
