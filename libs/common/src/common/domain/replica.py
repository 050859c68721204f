"""The states of the two rows that do the work: a replica and its segments.

replica   PLANNING ──▶ TRANSFERRING ──▶ AGGREGATING ──▶ REGISTERING ──▶ REGISTERED
segment       └─▶ THAWING ──▶ COPYING ──▶ VERIFYING ──▶ VERIFIED ──┘
A segment of which each file is seen to be readable while its bag is planned begins in COPYING.
FAILED can be reached from every state that is not terminal; segments of a failed replica are CANCELLED.
"""

from __future__ import annotations

from enum import StrEnum


class ReplicaState(StrEnum):
    """How far the copy of one bag version at one location is."""

    PLANNING = "planning"
    """The bag warmer reads the manifests (thawing them first) and cuts the bag into segments."""
    TRANSFERRING = "transferring"
    """The segments are being worked on; the last one to be verified moves the replica on."""
    AGGREGATING = "aggregating"
    """The replica aggregator decides whether the replica is whole."""
    REGISTERING = "registering"
    """The bag register adds the location to the bag's record."""
    REGISTERED = "registered"
    FAILED = "failed"

    @property
    def terminal(self) -> bool:
        return self in (ReplicaState.REGISTERED, ReplicaState.FAILED)


class SegmentState(StrEnum):
    """How far one slice of a replica's files is."""

    THAWING = "thawing"
    COPYING = "copying"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Another segment of the same replica failed."""

    @property
    def terminal(self) -> bool:
        return self in (SegmentState.VERIFIED, SegmentState.FAILED, SegmentState.CANCELLED)


class ImportState(StrEnum):
    """How far the adoption of bags that already lie in a store is."""

    WARMING = "warming"
    """The tag files of its bags are frozen; the bag warmer brings them back."""
    WALKING = "walking"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def terminal(self) -> bool:
        return self in (ImportState.FINISHED, ImportState.FAILED)


class CheckState(StrEnum):
    """How far the reading again of a copy is."""

    REREADING = "rereading"
    FINISHED = "finished"
    """What was found is in its verdict."""
    FAILED = "failed"
    """Nothing was found out."""

    @property
    def terminal(self) -> bool:
        return self is not CheckState.REREADING


class Verdict(StrEnum):
    """What a check found of a copy."""

    GOOD = "good"
    """Every byte of every file was read back and agreed, and nothing else lies there."""
    BAD = "bad"
    """Files are missing, or too many, or have other bytes."""
    UNREAD = "unread"
    """Nothing wrong was seen, but not every byte could be read: files are frozen."""


class EvidenceClass(StrEnum):
    """What a claim about a copy rests on, weakest first. They are never blurred."""

    LISTED = "E0"
    """The store lists objects of these names."""
    SIZED = "E1"
    """Names and sizes agree with the manifests; a frozen file's size, ETag and version are as it was read."""
    PROVIDER_DIGEST = "E2"
    """The provider computed a digest, and it agrees. It may have done so when the object was written."""
    READ_BACK = "E3"
    """Every byte was read back and hashed by us, and agrees."""
    RESTORED = "E4"
    """Restored elsewhere and read there."""
