"""S6, S8: what the trail says about every single change, whoever made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from invariants.ports import Violation
from invariants.trail import Change

FINAL = {"succeeded", "failed", "cancelled"}
_STEPS = {
    ("replicas", "planning", "transferring"),
    ("replicas", "aggregating", "registering"),
    ("replicas", "registering", "registered"),
    ("segments", "thawing", "copying"),
    ("segments", "copying", "verifying"),
    ("segments", "copying", "thawing"),
    ("segments", "verifying", "verified"),
}
"""The changes that only the holder of the row may make."""


def check_changes(changes: Iterable[Change]) -> Iterator[Violation]:
    for change in changes:
        yield from _final(change)
        yield from _fenced(change)


def _final(change: Change) -> Iterator[Violation]:
    about = f"{change.kind} {change.row_id}"
    if change.kind == "ingests" and change.was in FINAL:
        yield Violation("S6", about, f"was {change.was}, became {change.now_is or 'deleted'} by {change.actor}")
    if change.kind in ("ingest_events", "evidence"):
        yield Violation("S6", about, f"{change.action} by {change.actor}: history and evidence only grow")
    if change.kind == "bag_locations" and change.action == "DELETE":
        yield Violation("S6", about, f"a registered location was deleted by {change.actor}")
    if change.kind == "replicas" and change.was == "registered":
        yield Violation("S6", about, f"was registered, became {change.now_is} by {change.actor}")
    if change.kind == "segments" and change.was != change.now_is and change.was in {"verified", "failed", "cancelled"}:
        yield Violation("S6", about, f"was {change.was}, became {change.now_is} by {change.actor}")


def _fenced(change: Change) -> Iterator[Violation]:
    about = f"{change.kind} {change.row_id}"
    if change.fence is not None and change.was_fence is not None and change.fence < change.was_fence:
        yield Violation("S8", about, f"the fence shrank from {change.was_fence} to {change.fence}")
    if (change.kind, change.was, change.now_is) in _STEPS and _shown(change.was_holder) != change.actor:
        holder = change.was_holder or "nobody"
        yield Violation("S8", about, f"{change.was} -> {change.now_is} by {change.actor}, while {holder} held it")
    taken = change.was == change.now_is and change.holder not in (None, change.was_holder)
    if change.kind in ("replicas", "segments") and taken and change.held:
        yield Violation("S8", about, f"{change.holder} took it while {change.was_holder} held it")


def _shown(holder: str | None) -> str | None:
    """A name as application_name shows it: PostgreSQL keeps 63 bytes."""
    return None if holder is None else holder.encode()[:63].decode(errors="ignore")
