"""Ways to break one safety mechanism of the product, each for as long as an ExitStack is open."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from types import FunctionType
from typing import Any

from sqlalchemy import text

import backfill_replicator.light
import backfill_replicator.step
import backfill_replicator.transfer
import bag_register.step
import bag_warmer.planning
import bag_warmer.thaw
import bag_warmer.thawing
import replica_aggregator.step
import replica_aggregator.tally
import verifier.checks
import verifier.step
from common.domain.replica import SegmentState
from common.ledger import claims, failing, operating, outbox, reaper, settling, writing
from common.outcome import Done
from common.runtime import housekeeping
from common.thawing.warmth import Warmth
from common.whole import read_whole
from simulation.ledger import Ledger

Break = Callable[[ExitStack, Ledger], None]


def replaced(stack: ExitStack, owner: Any, name: str, by: Any) -> None:
    """Raises AssertionError where the two are called in different ways: a mutant that fails at each call breaks nothing
    but itself, and would be said to have survived."""
    before = getattr(owner, name)
    if isinstance(before, FunctionType) and isinstance(by, FunctionType):
        asked = inspect.signature(before)
        assert _can_be_called_as(by, asked), f"{name}{asked} is replaced by what takes {inspect.signature(by)}"
    setattr(owner, name, by)
    stack.callback(setattr, owner, name, before)


def _can_be_called_as(function: FunctionType, asked: inspect.Signature) -> bool:
    """Whether with the same arguments: those that may be given by place or name, all by place or all by name."""
    told = asked.parameters.values()
    named = {parameter.name: ... for parameter in told if parameter.kind is parameter.KEYWORD_ONLY}
    either = [parameter.name for parameter in told if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    for places, names in (([...] * len(either), named), ([], {**dict.fromkeys(either, ...), **named})):
        with suppress(TypeError):
            inspect.signature(function).bind(*places, **names)
            return True
    return False


def with_changes(*changes: tuple[Any, str, Any]) -> Break:
    def breaks(stack: ExitStack, _ledger: Ledger) -> None:
        for owner, name, by in changes:
            replaced(stack, owner, name, by)

    return breaks


def no_guard(stack: ExitStack, ledger: Ledger, table: str, trigger: str) -> None:
    ledger.raw.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    stack.callback(ledger.raw.execute, f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


nothing: Any = lambda *args, **kwargs: None  # noqa: E731
no_reaping = (housekeeping.reaper, "reap", lambda connection, *, patience, at_most=500: 0)


def no_lease(stack: ExitStack, _ledger: Ledger) -> None:
    """The statement that claims is made once, so it must be forgotten before and after."""
    claims._taking.cache_clear()
    stack.callback(claims._taking.cache_clear)
    replaced(stack, claims, "NOW", later)


later = text("clock_timestamp() + interval '1 day'")
"""For which every lease has run out."""


def size_only(file: Any, measured: Any, size: int, info: Any) -> str:
    return "" if size == file.size else "another size"


def unread(self: Any, file: Any, *, key: str) -> Any:
    """Evidence from what the store says about an object, without reading it."""
    from datetime import UTC, datetime

    from common.domain.replica import EvidenceClass
    from common.outcome import Evidence

    info = self._store.head(key=key)
    return Evidence(
        path=file.path,
        key=key,
        outcome="match",
        evidence_class=EvidenceClass.READ_BACK,
        expected=file.checksums,
        measured=file.checksums,
        bytes=info.size,
        etag=info.etag,
        version_id=info.version_id,
        started_at=datetime.now(UTC),
        seconds=0.0,
    )


def counted_messages(stack: ExitStack, _ledger: Ledger) -> None:
    """The replica goes on when as many hints were answered as it has segments, whichever they were."""
    seen: dict[Any, int] = {}
    settle = settling._after_segment

    def after(connection: Any, claim: Any, around: Any, *, patience: Any) -> None:
        if claim.stage.next_state is SegmentState.VERIFIED:
            settling.start_aggregating(connection, around, patience=patience)
            seen[around.ingest_id] = seen.get(around.ingest_id, 0) + 1
        settle(connection, claim, around, patience=patience)

    replaced(stack, settling, "_after_segment", after)


def overwritten(self: Any, info: Any, data: bytes) -> Any:
    return self.put(info, data)


def reenterable(stack: ExitStack, ledger: Ledger) -> None:
    no_guard(stack, ledger, "ingests", "ingests_are_final")
    every = ["accepted", "processing", "succeeded", "failed"]
    replaced(stack, failing, "OPEN_INGESTS", every)
    replaced(stack, operating, "must_run", nothing)


def nothing_in_rounds(_self: Any, files: Sequence[Any], *_: Any) -> list[None]:
    """Each file is left to what is done for one."""
    return [None] * len(files)


def unpinned(stack: ExitStack, _ledger: Ledger) -> None:
    """Reads whatever lies at the source now, and trusts it, and verifies against its size only."""

    def small(self: Any, file: Any, ends: Any) -> Any:
        data = read_whole(ends.source, key=ends.source_key, most=1 << 20)
        ends.destination.create(key=ends.destination_key, data=data)
        return backfill_replicator.transfer.Copied(file, backfill_replicator.transfer.Result.COPIED)

    def part(self: Any, file: Any, ends: Any, first: int, into: memoryview) -> Any:
        return ends.source.read_into(key=ends.source_key, into=into, first=first)

    replaced(stack, backfill_replicator.light.LightCopy, "several", nothing_in_rounds)
    replaced(stack, backfill_replicator.transfer.Transfer, "_copy_small", small)
    replaced(stack, backfill_replicator.transfer.Transfer, "_read_range", part)
    replaced(stack, backfill_replicator.transfer, "describe_mismatch", lambda file, hasher: "")
    replaced(stack, bag_warmer.thawing, "_other_objects", lambda wanted, infos: None)
    replaced(stack, verifier.checks, "_fault", lambda file, measured, size, info: "")


def asks_again(stack: ExitStack, _ledger: Ledger) -> None:
    judged = bag_warmer.thaw._judged

    def forgetful(looked: Any, **facts: Any) -> Any:
        found = judged(looked, **facts)
        return replace(found, warmth=Warmth.COLD) if found.warmth is Warmth.WARMING else found

    replaced(stack, bag_warmer.thaw, "_judged", forgetful)


def ack_first(self: Any, courier: Any, delivery: Any) -> None:
    begun = None
    try:
        courier.ack(delivery)
        begun = self._claimed(delivery)
    finally:
        if begun is None:
            self._free.release()
        else:
            self._start(begun)


def forgetful_relay(connection: Any, *, publish: Any, at_most: int = 100) -> int:
    """Deletes what it has handed to the broker, whatever the broker says."""
    rows = connection.execute(outbox.select(outbox.outbox).limit(at_most)).all()
    for row in rows:
        try:
            publish(queue=row.queue, body=row.body.encode(), message_id=str(row.message_id))
        except Exception:
            continue
    connection.execute(outbox.delete(outbox.outbox).where(outbox.outbox.c.id.in_([row.id for row in rows])))
    return len(rows)


def one_state_forgotten(stack: ExitStack, _ledger: Ledger) -> None:
    kept = tuple(rule for rule in reaper.RULES if rule.state is not SegmentState.COPYING)
    replaced(stack, reaper, "RULES", kept)


def same_bag_unchecked(stack: ExitStack, _ledger: Ledger) -> None:
    replaced(stack, bag_warmer.planning, "changed", lambda pins, registered: None)
    replaced(stack, replica_aggregator.step, "_different_manifests", lambda job, store: "")
    replaced(stack, bag_register.step, "differences", lambda **_: [])


def taken_unseen(self: Any, number: int, data: memoryview, mark: str) -> Any:
    return next(iter(self._found.get(number, [])), None)


def first_try_always(stack: ExitStack, _ledger: Ledger) -> None:
    replaced(stack, backfill_replicator.step, "_tried_before", lambda job: False)


def dead_letter_only(stack: ExitStack, _ledger: Ledger) -> None:
    """The last attempt puts a message aside and leaves the row as it is."""
    replaced(stack, failing, "fail", nothing)


def extra_ignored(self: Any) -> bool:
    return not (self.missing or self.changed)


def evidence_unwritten(stack: ExitStack, _ledger: Ledger) -> None:
    """The verifier says so, and that must do: nobody counts what was proven."""
    verify = verifier.step.outcome

    def said(evidence: Any) -> Any:
        found = verify(evidence)
        return Done(said=found.said) if isinstance(found, Done) else found

    replaced(stack, verifier.step, "outcome", said)
    replaced(stack, writing, "_must_be_proven", nothing)
    replaced(stack, replica_aggregator.step.Aggregate, "__call__", lambda self, job: Done(said=""))


def mismatch_passes(stack: ExitStack, _ledger: Ledger) -> None:
    from common.outcome import Verified

    def said(evidence: Any) -> Any:
        return Done(said="", writes=(Verified(evidence),))

    replaced(stack, verifier.step, "outcome", said)
