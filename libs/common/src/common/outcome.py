"""How a step answers. Exceptions are for the unexpected; these are values.

A step that raises :class:`common.errors.TransientError` is tried again with back-off and counts an attempt;
one that raises anything else commits nothing, and the lease's end counts the attempt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from common.domain.bag import BagVersion
from common.domain.fixity import Checksums
from common.domain.location import LocationId
from common.domain.replica import EvidenceClass, Verdict
from common.domain.segment import SegmentPlan
from common.domain.storage_class import Classes
from common.records import record


@record
class Planned:
    """What the ledger keeps of a plan. `segments` is consumed once, inside the transaction."""

    segments: Iterable[SegmentPlan]
    files: int
    bytes: int
    pins: dict[str, str]
    """SHA-256 of every file of the manifest set (bagit.txt, manifests, tag manifests, …) by its path."""


@record
class Evidence:
    """One file at the destination, read back (or found missing) by the verifier."""

    path: str
    key: str
    outcome: str
    """"match", "mismatch" or "missing"."""
    evidence_class: EvidenceClass
    expected: Checksums
    measured: Checksums
    bytes: int
    etag: str | None
    version_id: str | None
    started_at: datetime
    seconds: float
    """Of reading it; of a larger file, with hashing it meanwhile."""
    reason: str = ""
    reads: int = 1
    """How often the file was read until it was good, or called bad."""
    doubts: tuple[str, ...] = ()
    """What each read before the last one found wrong, oldest first."""


@record
class Verified:
    """Evidence for the files of a segment, kept for ever."""

    evidence: list[Evidence]


@record
class Registered:
    """The replica enters the bag's record."""

    bag: BagVersion
    evidence_class: EvidenceClass = EvidenceClass.READ_BACK


@record
class Checked:
    """What the reading again of a copy came to; the evidence of its files is in the ledger already."""

    verdict: Verdict
    why: str = ""
    """What is wrong, or why not all was read; empty for a good copy."""


@record
class SeenClasses:
    """In which storage classes a copy's objects lie, as the store lists them."""

    location: LocationId
    classes: Classes
    seen_at: datetime | None = None
    """When it was listed; None: just now."""


Write = Planned | Verified | Registered | Checked | SeenClasses
"""What a step adds to the ledger, in the transaction that settles its row."""


@record
class Done:
    """The row advances to its next state, fenced, together with the next hints."""

    said: str
    """What the user reads after "<Stage> succeeded - ", such as "412 files, 3.1 GB"."""
    writes: tuple[Write, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)


@record
class Awaited:
    """Objects that a row waits for: their store may tell by itself that they can be read."""

    bucket: str
    keys: frozenset[str]
    looked_ago: timedelta
    """How long ago the look began that found them frozen."""


@record
class Wait:
    """Nothing to do before `again_in`. Uses no attempt, no message and no thread."""

    again_in: timedelta
    why: str
    """What the user reads, such as "waiting for 118 objects to thaw (Bulk)"."""
    promised: timedelta = timedelta(0)
    """How long the provider says that this takes at most, from the row's arrival in its state; 0 where nobody says."""
    told: tuple[str, ...] = ()
    """Further sentences for the user, each of which the history has once."""
    awaited: Awaited | None = field(default=None, compare=False)
    """The row is looked at sooner where all of these were told of. Not compared: it holds a measured time."""
    about: str = ""
    """What is waited for, where that is not what the stage usually waits for: `why` is in the history once for each."""


@record
class GoBack:
    """The row returns to an earlier state: what it needs is not there any more (a restored copy expired)."""

    state: str
    """The earlier state's value."""
    why: str


@record
class Rejected:
    """This can never work: the row and its ingest fail, finally."""

    code: str
    """Stable error code, a heading of docs/reference/errors.md."""
    why: str
    """For the log and the ledger: all that is known."""
    for_user: str
    """One sentence for the ingest's history."""
    writes: tuple[Write, ...] = ()
    after_the_rest: bool = False
    """For a segment that was verified: its siblings that are copied are verified too before the replica fails."""


Outcome = Done | Wait | GoBack | Rejected


def describe(outcome: Outcome) -> str:
    """One word and what was said, for the log."""
    text = getattr(outcome, "said", None) or getattr(outcome, "why", "")
    return f"{type(outcome).__name__.lower()}: {text}"
