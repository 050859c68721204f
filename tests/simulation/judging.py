"""What only a simulation can judge, because it knows what went wrong: reasons to fail, and waste."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from common.domain.location import LocationId
from invariants import Violation
from simulation.decisions import Decisions
from simulation.places import Act, Place

_TROUBLE = frozenset(
    (
        *("store_refuses", "store_keeps_silent", "store_throttles", "truncated", "restore_refused"),
        *("ledger_refuses", "ledger_loses", "ledger_keeps_silent", "ledger_down", "source_down", "destination_down"),
        *("kill", "kill_after", "kill_after_commit", "pause"),
    )
)
_VANISHING = frozenset(kind for kind in _TROUBLE if kind.startswith(("kill", "pause", "ledger")))
_WRONG_COPY = frozenset(("flip_on_write", "copy_rots", "stray_object"))

_WRONG_READS = frozenset(("flip_on_read", "wrong_range", "stale_answer"))

_SPOILT = frozenset(("source_rewritten", "source_rots", "source_deleted", "other_bag", "two flips"))

CAUSES: dict[str, frozenset[str]] = {
    "attempts_exhausted": _TROUBLE,
    "worker_vanished": _VANISHING,
    "access_denied": frozenset({"credentials_expire"}),
    "source_digest_mismatch": frozenset({"source_rots", "source_rewritten", "two flips"}),
    "source_vanished": frozenset({"source_deleted", "other_bag"}),
    "source_changed": frozenset({"source_rewritten", "source_replaced", "other_bag"}),
    "manifest_changed": _SPOILT,
    "destination_differs": _WRONG_COPY | {"two flips"},
    "replica_digest_mismatch": _WRONG_COPY | {"two flips"},
    "replica_not_whole": _WRONG_COPY,
    "went_back_too_often": frozenset({"restore_short"}),
    "cancelled": frozenset({"operator_cancels"}),
    "failed_by_operator": frozenset({"operator_fails"}),
}
"""Error code → what must have happened for an ingest to fail with it. A code that is not here is never excused, but
for those of bags that are not valid."""


def _causes(code: str) -> frozenset[str]:
    return _SPOILT if code.startswith("bag_") else CAUSES.get(code, frozenset())


def unexplained(raw: Any, decisions: Decisions, *, bags: set[int]) -> Iterator[Violation]:
    """Ingests that failed though nothing had happened that would justify it."""
    happened = {fault.kind for _, fault in decisions.injected.values()}
    flips = sum(fault.kind in _WRONG_READS for _, fault in decisions.injected.values())
    happened |= {"two flips"} if flips >= 2 else set()
    for ingest, code in raw.execute(
        "SELECT id, error_code FROM ingests WHERE status = 'failed' AND bag_version_id = ANY(%s)", (list(bags),)
    ).fetchall():
        if not _causes(code) & happened:
            why = raw.execute(
                "SELECT description FROM ingest_events WHERE ingest_id = %s ORDER BY id DESC LIMIT 1", (ingest,)
            ).fetchone()
            yield Violation("A1", str(ingest), f"failed with {code} for no reason: {why[0] if why else ''}")


def recopied(places: Mapping[LocationId, Place], source: Place) -> Iterator[Violation]:
    """E1: sources read by a claim although an earlier claim of the same segment had made the copy before it began.

    Who lost its claim and does not know it may make a copy later: between the look and the read of the next one, too.
    """
    made: dict[tuple[str, object], Act] = {}
    for place in places.values():
        prefix = place.location.prefix
        made |= {(act.key.removeprefix(prefix), act.row): act for act in place.acts if act.what == "create"}
    for act in source.acts:
        copy = made.get((act.key, act.row))
        if act.what == "read" and copy and copy.fence < act.fence and copy.at < act.claimed_at:
            told = f"read from the source by fence {act.fence} of segment {act.row}, copied by an earlier"
            yield Violation("E1", act.key, told)
