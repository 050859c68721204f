"""The pipeline as a table: which service listens to which hint on which queue, and where its row goes next.

A stage exists once for each lane, on a queue of its own, so that a campaign of 260,000 backfills never
starves the bags that were deposited today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from common import messages
from common.domain.replica import CheckState, ImportState, ReplicaState, SegmentState

Kind = Literal["replica", "segment", "import", "check"]
"""The kinds of rows that can be claimed."""

State = ReplicaState | SegmentState | ImportState | CheckState


class Lane(StrEnum):
    """Which traffic a queue carries, most urgent first: workers prefer them in this order."""

    DAILY = "daily"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stop of the pipeline: rows of `kind` in `state` are worked on by `service`."""

    service: str
    kind: Kind
    state: State
    hint: type[messages.Hint]
    """The hint that says a row may have arrived here."""
    next_state: State
    title: str
    """How an ingest's history calls it; {source} and {destination} are location names."""
    limit: timedelta = timedelta(hours=6)
    """A row that a worker has taken and that is here for longer has stalled, unless a provider promised to take longer:
    then three times that promise. At least an hour."""
    per_gib: timedelta = timedelta(0)
    """What each GiB of a segment adds to the limit."""
    lane: Lane = Lane.DAILY
    """Of rows that belong to no replica, which has a lane of its own."""

    @property
    def name(self) -> str:
        return self.state.value

    def queue(self, lane: Lane) -> str:
        """At most 42 characters of [a-z0-9_], which every broker allows, also with "_dead" behind."""
        return f"{self.service}_{self.name}_{lane}"


PLANNING = Stage(
    "bag_warmer",
    "replica",
    ReplicaState.PLANNING,
    messages.ReplicaRequested,
    ReplicaState.TRANSFERRING,
    "planning",
)
THAWING = Stage(
    "bag_warmer",
    "segment",
    SegmentState.THAWING,
    messages.SegmentPlanned,
    SegmentState.COPYING,
    "warming ({source})",
)
COPYING = Stage(
    "backfill_replicator",
    "segment",
    SegmentState.COPYING,
    messages.SegmentThawed,
    SegmentState.VERIFYING,
    "replicating to {destination}",
    per_gib=timedelta(minutes=2),
)
VERIFYING = Stage(
    "verifier",
    "segment",
    SegmentState.VERIFYING,
    messages.SegmentCopied,
    SegmentState.VERIFIED,
    "verification ({destination})",
    per_gib=timedelta(minutes=2),
)
AGGREGATING = Stage(
    "replica_aggregator",
    "replica",
    ReplicaState.AGGREGATING,
    messages.SegmentsVerified,
    ReplicaState.REGISTERING,
    "aggregating replicas",
)
REGISTERING = Stage(
    "bag_register",
    "replica",
    ReplicaState.REGISTERING,
    messages.ReplicaAggregated,
    ReplicaState.REGISTERED,
    "register",
    limit=timedelta(hours=2),
)
IMPORTING = Stage(
    "bag_register",
    "import",
    ImportState.WALKING,
    messages.ImportRequested,
    ImportState.FINISHED,
    "importing from {source}",
    limit=timedelta(days=7),
)
TAG_THAWING = Stage(
    "bag_warmer",
    "import",
    ImportState.WARMING,
    messages.TagFilesFrozen,
    ImportState.WALKING,
    "warming tag files ({source})",
)

REREADING = Stage(
    "verifier",
    "check",
    CheckState.REREADING,
    messages.CheckRequested,
    CheckState.FINISHED,
    "reading again ({destination})",
    limit=timedelta(days=7),
    lane=Lane.BACKFILL,
)

STAGES: tuple[Stage, ...] = (
    PLANNING,
    THAWING,
    COPYING,
    VERIFYING,
    AGGREGATING,
    REGISTERING,
    IMPORTING,
    TAG_THAWING,
    REREADING,
)

ALTERNATING = ((PLANNING, THAWING), (THAWING, PLANNING))
"""Stages of one service that are preferred in turn. Were bags planned first, a campaign of 260,000 would be planned to
its end before the first of them is asked for; were it the other way round, looks at what is frozen would keep new bags
waiting for two days."""

QUEUES: dict[str, type[messages.Hint]] = {stage.queue(lane): stage.hint for stage in STAGES for lane in Lane}
"""Queue name → the hint it carries. This is the pipeline."""

_BY_QUEUE = {stage.queue(lane): stage for stage in STAGES for lane in Lane}
_BY_ROW = {(stage.kind, stage.state): stage for stage in STAGES}


def stage_of_queue(queue: str) -> Stage:
    return _BY_QUEUE[queue]


def stage_of_row(kind: Kind, state: State) -> Stage | None:
    """The stage that rows in this state wait for; None where no worker does (terminal, or moved on by others)."""
    return _BY_ROW.get((kind, state))


def queues_of(service: str) -> list[str]:
    """The queues that a service listens to, the preferred first."""
    return [stage.queue(lane) for lane in Lane for stage in STAGES if stage.service == service]


_TURNS = {mine.queue(lane): other.queue(lane) for lane in Lane for mine, other in ALTERNATING}


def in_turn(queues: Sequence[str], turn: int) -> list[str]:
    """The queues of a service as they are preferred the `turn`th time: the same but for stages that alternate."""
    return [_TURNS.get(queue, queue) for queue in queues] if turn % 2 else list(queues)


def hint_for(stage: Stage, row_id: int) -> messages.Hint:
    field = {"replica": "replica_id", "segment": "segment_id", "import": "import_id", "check": "check_id"}[stage.kind]
    return stage.hint.model_validate({field: row_id})
