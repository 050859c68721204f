"""Whether and when restores may be asked for: a port, so that the steps need neither budget nor ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from bag_warmer.asking import Sent
from bag_warmer.wishes import Wish
from common.domain.location import Location
from common.jobs import ImportJob, ReplicaJob, SegmentJob
from common.outcome import Wait
from common.ports import ObjectInfo
from common.thawing.budget import MOST_EXTENSIONS
from common.topology import Kind


@dataclass(frozen=True, slots=True)
class Errand:
    """On whose behalf something is asked for."""

    kind: Kind
    row_id: int
    ingest_id: UUID | None
    """None for an import."""
    source: Location
    named_days: int | None
    """Days that the ingest asks for itself."""

    @classmethod
    def of(cls, job: ReplicaJob | SegmentJob | ImportJob) -> Errand:
        if isinstance(job, ImportJob):
            return cls("import", job.import_id, None, job.location, None)
        days: Any = job.options.get("restoredDays")
        kind: Kind = "segment" if isinstance(job, SegmentJob) else "replica"
        row_id = job.segment_id if isinstance(job, SegmentJob) else job.replica_id
        return cls(kind, row_id, job.ingest_id, job.source, int(days) if days else None)


@dataclass(frozen=True, slots=True)
class Permit:
    """What may be asked for now."""

    days: int | None = None
    """For how many days; None: as wished."""
    may_extend: bool = True
    """Whether readable copies that expire soon may be prolonged."""
    most_extensions: int = MOST_EXTENSIONS
    """How often one row's copies are prolonged at most, whoever has it done."""
    held: Wait | None = None
    """Why nothing that is cold may be asked for yet, and when to look again."""

    def after(self, extensions: int) -> Permit:
        """The same for a row whose copies have been prolonged so often."""
        return replace(self, may_extend=self.may_extend and extensions < self.most_extensions)


class Gate(Protocol):
    """Stands before every restore. :class:`bag_warmer.admissions.LedgerGate` is its adapter."""

    def admit(self, errand: Errand, frozen: Sequence[ObjectInfo], wish: Wish) -> Permit:
        """Whether `frozen`, possibly none, may be asked for. Twice: the same, and nothing more is used."""
        ...

    def asked(self, errand: Errand, accepted: Sequence[Sent]) -> None:
        """What the store took on. Call it once for each request."""
        ...

    def readable(self, errand: Errand, until: datetime) -> None:
        """The whole errand can be read, `until` its first copy expires, as the store says."""
        ...


class OpenGate:
    """Lets everything pass and keeps no books."""

    def admit(self, errand: Errand, frozen: Sequence[ObjectInfo], wish: Wish) -> Permit:  # noqa: ARG002
        return Permit()

    def asked(self, errand: Errand, accepted: Sequence[Sent]) -> None:
        pass

    def readable(self, errand: Errand, until: datetime) -> None:
        pass
