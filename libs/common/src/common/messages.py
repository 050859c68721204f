"""Every hint there is, as one sealed union. A hint says what has happened and carries ids, never state.

Hints change by addition: a reader ignores fields it does not know, and old samples still decode
(tests/unit/common/test_messages.py keeps them).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MAX_BYTES = 64 * 1024
"""Largest hint that is decoded; real ones are below 200 bytes."""


RowId = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""What the ledger's identity columns hold: a larger number is no row's, and PostgreSQL would refuse to look for it."""


class _Hint(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _ReplicaHint(_Hint):
    replica_id: RowId

    @property
    def row_id(self) -> int:
        return self.replica_id


class _SegmentHint(_Hint):
    segment_id: RowId

    @property
    def row_id(self) -> int:
        return self.segment_id


class ReplicaRequested(_ReplicaHint):
    """A replica of a bag version is wanted: plan it."""

    type: Literal["ReplicaRequested"] = "ReplicaRequested"


class SegmentPlanned(_SegmentHint):
    """A segment exists, or its objects may have become readable: look whether they are."""

    type: Literal["SegmentPlanned"] = "SegmentPlanned"


class SegmentThawed(_SegmentHint):
    """Every object of a segment can be read, as it was planned or by now: copy it."""

    type: Literal["SegmentThawed"] = "SegmentThawed"


class SegmentCopied(_SegmentHint):
    """Every object of a segment is at the destination: read it back."""

    type: Literal["SegmentCopied"] = "SegmentCopied"


class SegmentsVerified(_ReplicaHint):
    """Every segment of a replica is verified: is the replica whole?"""

    type: Literal["SegmentsVerified"] = "SegmentsVerified"


class ReplicaAggregated(_ReplicaHint):
    """A replica is whole: register it."""

    type: Literal["ReplicaAggregated"] = "ReplicaAggregated"


class ImportRequested(_Hint):
    """Bags that lie in a store are to be adopted: walk it."""

    type: Literal["ImportRequested"] = "ImportRequested"
    import_id: RowId

    @property
    def row_id(self) -> int:
        return self.import_id


class CheckRequested(_Hint):
    """A copy is to be read again, whether or not anybody doubts it: read it back."""

    type: Literal["CheckRequested"] = "CheckRequested"
    check_id: RowId

    @property
    def row_id(self) -> int:
        return self.check_id


class TagFilesFrozen(_Hint):
    """The tag files of bags to adopt are frozen, or may have become readable: look whether they are."""

    type: Literal["TagFilesFrozen"] = "TagFilesFrozen"
    import_id: RowId

    @property
    def row_id(self) -> int:
        return self.import_id


Hint = (
    ReplicaRequested
    | SegmentPlanned
    | SegmentThawed
    | SegmentCopied
    | SegmentsVerified
    | ReplicaAggregated
    | ImportRequested
    | CheckRequested
    | TagFilesFrozen
)

_ADAPTER: TypeAdapter[Hint] = TypeAdapter(Annotated[Hint, Field(discriminator="type")])


class NotAHint(ValueError):
    """The message is not one that Backfill sends."""


def encode(hint: Hint) -> bytes:
    return _ADAPTER.dump_json(hint)


def decode(body: bytes) -> Hint:
    """Read a message's body. Raises NotAHint with the reason for anything else, whatever the bytes are."""
    if len(body) > MAX_BYTES:
        raise NotAHint(f"{len(body)} bytes, at most {MAX_BYTES} are read")
    try:
        return _ADAPTER.validate_json(body)
    except (ValidationError, ValueError, RecursionError) as error:
        raise NotAHint(str(error).splitlines()[0]) from None


__all__ = [
    "CheckRequested",
    "Hint",
    "ImportRequested",
    "NotAHint",
    "ReplicaAggregated",
    "ReplicaRequested",
    "SegmentCopied",
    "SegmentPlanned",
    "SegmentThawed",
    "SegmentsVerified",
    "TagFilesFrozen",
    "decode",
    "encode",
]
