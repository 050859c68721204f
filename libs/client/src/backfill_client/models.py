"""What the APIs answer, typed. Fields that a newer server adds are ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from backfill_client.imports import ImportThawing


def _id_of(value: Any) -> Any:
    """The wire wraps names: {"id": "digitised", "type": "Space"}."""
    return value.get("id") if isinstance(value, dict) else value


Wrapped = Annotated[str, BeforeValidator(_id_of)]
"""A name that the wire wraps in an object."""


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Location(Answer):
    """Where bags, or one bag, lie."""

    id: str = ""
    provider: Wrapped
    bucket: str
    prefix: str | None = None
    """Of a location: key prefix below which bags lie."""
    path: str | None = None
    """Of a bag's copy: key prefix of all its versions, without a slash at the end."""
    title: str = ""
    evidence: str | None = None
    """What a bag's copy there rests on: E0 or E1 (listed), E2 (provider's digest), E3 (read back), E4 (restored)."""


class Event(Answer):
    """One sentence of an ingest's history."""

    description: str
    created_date: datetime


class Amount(Answer):
    """How much of a bag."""

    segments: int = 0
    files: int = 0
    bytes: int = 0


class Progress(Answer):
    """How much of the bag has come at least this far."""

    planned: Amount = Amount()
    thawed: Amount = Amount()
    copied: Amount = Amount()
    verified: Amount = Amount()


class WorkError(Answer):
    """Why something failed."""

    code: str
    description: str = ""


class BagInfo(Answer):
    """What bag-info.txt says."""

    external_identifier: str
    version: str | None = None
    payload_oxum: str | None = None
    bagging_date: str | None = None
    source_organization: str | None = None
    external_description: str | None = None
    internal_sender_identifier: str | None = None
    internal_sender_description: str | None = None


class NamedBag(Answer):
    info: BagInfo


class Stall(Answer):
    """A part of an ingest that does not get on."""

    since: datetime
    stage: str
    reason: str
    last_error: str | None = None


class Ingest(Answer):
    """One piece of work on one bag."""

    id: str
    ingest_type: Wrapped
    status: Wrapped
    """accepted, processing, succeeded or failed."""
    space: Wrapped
    bag: NamedBag
    source_location: Location
    destination: Location | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    progress: Progress = Progress()
    error: WorkError | None = None
    retry_of: str | None = None
    """The failed ingest that this one does again."""
    stalled: Stall | None = None
    events: list[Event] = Field(default_factory=list)
    created_date: datetime
    last_modified_date: datetime | None = None

    @property
    def finished(self) -> bool:
        return self.status in ("succeeded", "failed")

    @property
    def name(self) -> str:
        """The bag version, such as "digitised/b12345/v2"."""
        version = f"/{self.bag.info.version}" if self.bag.info.version else ""
        return f"{self.space}/{self.bag.info.external_identifier}{version}"


class File(Answer):
    """One file of a bag version."""

    name: str
    path: str
    """Below the bag's path at every location."""
    size: int
    checksum: str
    checksum_algorithm: str | None = None
    """Only where it is not the manifest's."""


class Manifest(Answer):
    checksum_algorithm: str
    files: list[File]


class Bag(Answer):
    """A bag version's storage manifest."""

    id: str
    version: str
    created_date: datetime
    space: Wrapped
    info: BagInfo
    manifest: Manifest
    tag_manifest: Manifest
    location: Location
    replica_locations: list[Location]
    depends_on: list[str] = Field(default_factory=list)
    """Earlier versions that hold some of its files."""


class Copy(Answer):
    """Where a bag version lies, and what is known of that copy."""

    id: str
    evidence: str = ""
    """E0 to E4, weakest first."""


class BagVersionSummary(Answer):
    """One line of a bag's list of versions."""

    id: str
    version: str
    created_date: datetime
    locations: list[Copy] = Field(default_factory=list)
    """The primary first."""
    depends_on: list[str] = Field(default_factory=list)
    """Earlier versions that hold some of its files."""


class BagLine(Answer):
    """A bag version as a list has it."""

    space: Wrapped
    external_identifier: str
    version: str
    created_date: datetime
    files: int
    bytes: int
    copies: list[Copy] = Field(alias="locations")
    """The primary first."""
    depends_on: list[str] = Field(default_factory=list)
    """Earlier versions that hold some of its files."""

    @property
    def locations(self) -> list[str]:
        """Ids of the locations it is registered at, the primary first."""
        return [copy.id for copy in self.copies]

    @property
    def name(self) -> str:
        """The bag version, such as "digitised/b12345/v2"."""
        return f"{self.space}/{self.external_identifier}/{self.version}"


class ImportProblem(Answer):
    """Something wrong with one bag of an import."""

    bag: str
    code: str
    severity: str
    message: str


class ImportCounts(Answer):
    registered: int
    known: int
    refused: int


class Import(Answer):
    """How far the adoption of a location's bags is, with a page of its problems."""

    id: str
    location: Wrapped
    prefix: str
    state: str
    """walking, finished or failed."""
    registers: bool = Field(default=True, alias="register")
    """False: it only looks, and tells what would be registered."""
    parts: int = 0
    """Further parts of the work that have not ended."""
    waiting_for_thaw: int = 0
    """Those of them that wait for tag files to thaw."""
    counts: ImportCounts
    error: WorkError | None = None
    problems: list[ImportProblem] = Field(default_factory=list)
    next: str | None = None
    """There are more problems: `after` for the next page."""
    thawing: ImportThawing | None = None
    """What its thaws were expected to cost, and have cost; not with the answer that begins it."""
    created_date: datetime
    finished_date: datetime | None = None

    @property
    def finished(self) -> bool:
        return self.state != "walking"


class ApiClient(Answer):
    """An OAuth client or an API key."""

    id: str
    kind: str
    """client or key."""
    name: str
    scopes: list[str]
    created_by: str
    secret: str | None = Field(default=None, repr=False)
    """Only in the answer that made it."""
    created_date: datetime
    expires_date: datetime | None = None
    revoked_date: datetime | None = None
    last_used_date: datetime | None = None
