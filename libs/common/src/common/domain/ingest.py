"""An ingest: the record of one piece of work on one bag, which the API answers for."""

from __future__ import annotations

from enum import StrEnum


class IngestType(StrEnum):
    """What an ingest does. The wire format knows all three; this service starts backfills."""

    CREATE = "create"
    UPDATE = "update"
    BACKFILL = "backfill"


class IngestStatus(StrEnum):
    """How far an ingest is. Terminal is final: the ledger refuses to leave it."""

    ACCEPTED = "accepted"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def terminal(self) -> bool:
        return self in (IngestStatus.SUCCEEDED, IngestStatus.FAILED)


NEXT: dict[IngestStatus, frozenset[IngestStatus]] = {
    IngestStatus.ACCEPTED: frozenset({IngestStatus.PROCESSING, IngestStatus.SUCCEEDED, IngestStatus.FAILED}),
    IngestStatus.PROCESSING: frozenset({IngestStatus.SUCCEEDED, IngestStatus.FAILED}),
    IngestStatus.SUCCEEDED: frozenset(),
    IngestStatus.FAILED: frozenset(),
}
"""Where an ingest may go. The database trigger `ingests_are_final` says the same."""
