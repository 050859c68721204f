"""The states of ingests, replicas and segments."""

from __future__ import annotations

from common.domain.ingest import NEXT, IngestStatus
from common.domain.replica import ImportState, ReplicaState, SegmentState


def test_terminal_is_final() -> None:
    assert {status for status, following in NEXT.items() if not following} == {
        status for status in IngestStatus if status.terminal
    }
    assert NEXT.keys() == set(IngestStatus)
    assert all(status not in following for status, following in NEXT.items())


def test_what_is_terminal() -> None:
    assert [s.value for s in ReplicaState if s.terminal] == ["registered", "failed"]
    assert [s.value for s in SegmentState if s.terminal] == ["verified", "failed", "cancelled"]
    assert [s.value for s in ImportState if s.terminal] == ["finished", "failed"]
