"""What a step is given: one claimed row with everything it needs to know, read in the claim's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from common.domain.bag import BagVersion
from common.domain.fixity import Checksums
from common.domain.location import Location
from common.domain.segment import PlannedFile
from common.records import record

if TYPE_CHECKING:
    from uuid import UUID


class Hold(Protocol):
    """The step's hand on its row while it works. May be used from any thread."""

    def checkpoint(self) -> None:
        """Call it between blocks and between files: raises ClaimLost when the row is somebody else's by now,
        and Interrupted when the process is asked to stop. Costs nothing."""
        ...

    def remember(self, **notes: Any) -> None:
        """Keep notes for the next attempt with the row, fenced; JSON values, merged by key. Raises ClaimLost."""
        ...


class Interrupted(Exception):
    """The process is asked to stop: let go of the row and leave the rest to another worker."""


@record
class Attempt:
    """Which try of which worker this is; evidence names it."""

    number: int
    worker: str
    build: str


@record
class ReplicaJob:
    """A replica to plan, aggregate or register."""

    replica_id: int
    ingest_id: UUID
    bag: BagVersion
    source: Location
    destination: Location
    attempt: Attempt
    hold: Hold
    registered_pins: Mapping[str, str]
    """SHA-256 by path of the manifest set, as the bag's record has it."""
    planned_pins: Mapping[str, str] = field(default_factory=dict)
    """The same as the plan found it at the source; empty before planning."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the ingest asked for beyond bag and destination (tier, restored days, …)."""
    progress: Mapping[str, Any] = field(default_factory=dict)
    """What earlier attempts remembered."""


@record
class SegmentJob:
    """A segment to thaw, copy or verify."""

    segment_id: int
    number: int
    ingest_id: UUID
    bag: BagVersion
    source: Location
    destination: Location
    files: list[PlannedFile]
    attempt: Attempt
    hold: Hold
    options: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)

    def source_key(self, file: PlannedFile) -> str:
        return f"{self.source.bag_root(self.bag)}/{file.key_path}"

    def destination_key(self, file: PlannedFile) -> str:
        return f"{self.destination.bag_root(self.bag)}/{file.stored_as or file.key_path}"


@record
class Scope:
    """What of an import a row is about: a range of keys, or bags that are named one by one."""

    root_id: int
    """The import that people asked for; the row's own id where it is not a part of another."""
    until: str | None = None
    """The last key of the range; None: to the end of the prefix."""
    paths: tuple[str, ...] = ()
    """Of bags below the location's prefix, whose tag files were frozen; none: the row walks its range."""
    freezes: int = 0
    """How often these bags' tag files were found frozen."""
    registers: bool = True
    """False: only say what would be registered."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Where the list of objects comes from, if not from the store itself."""


@record
class ImportJob:
    """A location to adopt bags from, or a part of that work."""

    import_id: int
    location: Location
    prefix: str
    attempt: Attempt
    hold: Hold
    scope: Scope
    progress: Mapping[str, Any] = field(default_factory=dict)


@record
class CheckJob:
    """A copy to read again."""

    check_id: int
    bag: BagVersion
    location: Location
    registered_pins: Mapping[str, str]
    """SHA-256 by path of the manifest set, as the bag's record has it."""
    attempt: Attempt
    hold: Hold
    progress: Mapping[str, Any] = field(default_factory=dict)
    """What earlier turns came to: `after`, the key of the last file that was read."""


@record
class ReadBefore:
    """What was recorded when every byte of a file of a copy was last read back and agreed (E3)."""

    path: str
    key: str
    digests: Checksums
    """As the manifests give them, and as they were measured."""
    bytes: int
    etag: str
    version_id: str | None


Job = ReplicaJob | SegmentJob | ImportJob | CheckJob
