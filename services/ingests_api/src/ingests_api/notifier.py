"""Delivers callbacks: claims what is due, posts it, and commits what came of it. Any number may run."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Engine

from common.errors import LedgerUnavailable
from common.ledger.callbacks import Attempt, Owed, settle, take_due
from common.ledger.engine import transaction
from common.ledger.ingests import find_ingest
from ingests_api.callback_addresses import shown
from ingests_api.callback_schedule import SCHEDULE, Verdict, judge
from ingests_api.documents import ingest_document
from ingests_api.sending import Reply
from ingests_api.signing import signed_headers

log = structlog.get_logger()

LEASE = timedelta(minutes=2)
"""Much longer than one POST may take: a notifier that says nothing for so long is dead."""


class Post(Protocol):
    """Sends one request and never raises; see :func:`ingests_api.sending.post`."""

    def __call__(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """What delivering needs to know."""

    post: Post
    secrets: tuple[str, ...]
    clock: Callable[[], datetime]
    """For signatures and the log, UTC; when something is due is the database's matter."""
    worker: str
    agent: str = "backfill"
    """The User-Agent."""


class Notifier:
    """Looks for callbacks that are due, `at_once` of them at the same time, at most half of them to one host."""

    def __init__(self, *, engine: Engine, sender: Sender, at_once: int, idle: float = 1.0) -> None:
        self._engine = engine
        self._sender = sender
        self._each_host = max(1, at_once // 2)
        self._idle = idle
        self._free = threading.Semaphore(at_once)
        self._at_once = at_once
        self._pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="callback")

    def run(self, until: threading.Event) -> None:
        """Deliver until the event is set; POSTs under way are finished."""
        while not until.is_set():
            try:
                found = self.deliver_due()
            except LedgerUnavailable as error:
                log.warning("ledger unavailable", task="callbacks", error=str(error))
                found = 0
            except Exception:
                log.exception("task failed", task="callbacks")
                found = 0
            if not found:
                until.wait(self._idle)
        self._pool.shutdown(wait=True)

    def deliver_due(self) -> int:
        """One look: start what is due, as far as hands are free; returns how many."""
        if not self._free.acquire(timeout=self._idle):
            return 0
        hands = 1
        while hands < self._at_once and self._free.acquire(blocking=False):
            hands += 1
        owed: list[Owed] = []
        try:
            with transaction(self._engine) as connection:
                owed = take_due(
                    connection,
                    worker=self._sender.worker,
                    lease=LEASE,
                    at_most=hands,
                    each_host=self._each_host,
                )
        finally:
            if hands > len(owed):
                self._free.release(hands - len(owed))
        for one in owed:
            self._pool.submit(deliver, self._engine, self._sender, one).add_done_callback(self._done)
        return len(owed)

    def _done(self, _future: Future[None]) -> None:
        self._free.release()


def deliver(engine: Engine, sender: Sender, owed: Owed) -> None:
    """One attempt, and its result. An error of ours leaves the callback to whoever finds its lease run out."""
    bound = log.bind(ingest_id=str(owed.ingest_id), to=shown(owed.url), attempt=owed.attempt)
    try:
        attempt, verdict = _attempted(engine, sender, owed)
        with transaction(engine) as connection:
            told = _told(owed, attempt, verdict)
            ours = settle(
                connection,
                owed,
                attempt,
                state=verdict.state,
                again_in=verdict.again_in,
                told=told,
                once=None if verdict.state != "pending" else f"callback:{owed.id}:{owed.round}:retries",
            )
        bound.info(
            "callback",
            outcome=verdict.state if ours else "claim lost",
            status=attempt.status,
            error=attempt.error,
            code=attempt.code,
        )
    except LedgerUnavailable as error:
        bound.warning("callback", outcome="ledger unavailable", error=str(error))
    except Exception:
        bound.exception("callback", outcome="unexpected error")


def _attempted(engine: Engine, sender: Sender, owed: Owed) -> tuple[Attempt, Verdict]:
    started, clock = sender.clock(), time.monotonic()
    if owed.attempt > len(SCHEDULE):
        # Claimed again and again, and never settled: whoever had it died each time.
        told = "notifiers stopped while sending it, as often as it may be tried"
        reply = Reply(None, told, hopeless=True, code="callback_abandoned")
    else:
        reply = _sent(engine, sender, owed, at=started)
    attempt = Attempt(
        started_at=started,
        milliseconds=round((time.monotonic() - clock) * 1000),
        status=reply.status,
        error=reply.error,
        code=reply.code,
        answer=reply.body,
    )
    return attempt, judge(attempt=owed.attempt, status=reply.status, hopeless=reply.hopeless)


def _sent(engine: Engine, sender: Sender, owed: Owed, *, at: datetime) -> Reply:
    with transaction(engine) as connection:
        ingest = find_ingest(connection, owed.ingest_id)
    assert ingest is not None
    body = json.dumps(ingest_document(ingest), ensure_ascii=False, separators=(",", ":"))
    headers = {"Content-Type": "application/json", "User-Agent": sender.agent}
    headers |= signed_headers(message_id=owed.message_id, at=at, body=body, secrets=sender.secrets)
    return sender.post(owed.url, body=body.encode(), headers=headers)


def _told(owed: Owed, attempt: Attempt, verdict: Verdict) -> str | None:
    """For the ingest's history; the first and the last of these sentences are the storage service's."""
    if verdict.state == "succeeded":
        return "Callback fulfilled"
    why = attempt.error or "no answer"
    if verdict.state == "pending":
        return f"Callback retrying - {why}"
    if attempt.status is not None:
        return f"Callback failed for: {owed.ingest_id}, {why}!"
    return f"Callback failed for: {owed.ingest_id} ({why})"
