"""The ledger's tables. Constraints say what may be; the triggers that say the rest are in the migrations."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

import common.ledger.asking_tables
import common.ledger.campaigns.tables
import common.ledger.cold.tables
import common.ledger.coverage.tables
import common.ledger.fixity.schedule_tables
import common.ledger.requirements.tables
import common.ledger.thawing.tables  # noqa: F401 - further tables of the same schema
from common.domain.ingest import IngestStatus, IngestType
from common.domain.layout import DEFAULT_LAYOUT
from common.domain.replica import EvidenceClass, ReplicaState, SegmentState
from common.ledger import access_tables, thaw_tables, upkeep_tables  # noqa: F401  (their tables are the same metadata's)
from common.ledger.columns import EMPTY, NOW, Prose, metadata
from common.ledger.columns import claim_columns as _claim_columns
from common.ledger.columns import one_of as _one_of
from common.ledger.columns import stall_indexes as _stall_indexes
from common.ledger.columns import timestamp as _timestamp
from common.ledger.dead_letter_tables import dead_letters
from common.ledger.evidence.tables import evidence
from common.ledger.fixity.tables import copy_health, fixity_checks
from common.ledger.import_tables import import_problems, imports

# Known by these names to everything that reads the tables.
__all__ = ["NOW", "copy_health", "dead_letters", "evidence", "fixity_checks", "import_problems", "imports", "metadata"]

locations = Table(
    "locations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("prefix", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    _timestamp("created_at"),
    _timestamp("swept_at", nullable=True),
    Column("layout", Text, nullable=False, server_default=DEFAULT_LAYOUT, comment="where bags lie below the prefix"),
    UniqueConstraint("provider", "bucket", "prefix"),
)

bag_versions = Table(
    "bag_versions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("space", Text, nullable=False),
    Column("external_identifier", Text, nullable=False),
    Column("version", Integer, nullable=False),
    _timestamp("created_date", default=False),
    Column("ingest_id", Uuid),
    Column("info", JSONB, nullable=False),
    Column("checksum_algorithm", Text, nullable=False),
    Column("file_count", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("pins", JSONB, nullable=False),
    Column("depends_on", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("files_key", Text, nullable=False),
    Column("files_sha256", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_text", Text, comment="created_date as the record that it was taken from writes it"),
    UniqueConstraint("space", "external_identifier", "version"),
    CheckConstraint("version >= 1", name="version_is_positive"),
    CheckConstraint("file_count >= 0 AND bytes >= 0", name="counts_are_not_negative"),
)

bag_locations = Table(
    "bag_locations",
    metadata,
    Column("bag_version_id", ForeignKey("bag_versions.id"), primary_key=True),
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
    Column("evidence_class", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("ingest_id", Uuid),
    _timestamp("registered_at"),
    _one_of("evidence_class", [e.value for e in EvidenceClass]),
    _one_of("role", ["primary", "replica"]),
    Index("uq_bag_locations_primary", "bag_version_id", unique=True, postgresql_where=text("role = 'primary'")),
)

_LISTED_BY = {
    "created": (),
    "status": ("status",),
    "space": ("space",),
    "identifier": ("external_identifier",),
    "destination": ("destination_id",),
}

ingests = Table(
    "ingests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ingest_type", Text, nullable=False),
    Column("space", Text, nullable=False),
    Column("external_identifier", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("bag_version_id", ForeignKey("bag_versions.id"), nullable=False),
    Column("source_id", ForeignKey("locations.id"), nullable=False),
    Column("destination_id", ForeignKey("locations.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("callback_url", Text),
    Column("callback_status", Text),
    Column("options", JSONB, nullable=False, server_default=EMPTY),
    Column("error_code", Text),
    Column("campaign_id", ForeignKey("campaigns.id")),
    Column("retry_of", Uuid),
    _timestamp("created_at"),
    _timestamp("finished_at", nullable=True),
    _one_of("ingest_type", [t.value for t in IngestType]),
    _one_of("status", [s.value for s in IngestStatus]),
    _one_of("callback_status", ["pending", "succeeded", "failed"]),
    CheckConstraint("(status IN ('succeeded','failed')) = (finished_at IS NOT NULL)", name="finished_has_a_date"),
    CheckConstraint("(callback_url IS NULL) = (callback_status IS NULL)", name="callback_has_a_status"),
    Index(
        "uq_ingests_running",
        "bag_version_id",
        "destination_id",
        unique=True,
        postgresql_where=text("status IN ('accepted', 'processing')"),
    ),
    Index("ix_ingests_bag", "space", "external_identifier", "version"),
    Index("ix_ingests_campaign", "campaign_id", postgresql_where=text("campaign_id IS NOT NULL")),
    *(Index(f"ix_ingests_{name}", *columns, "created_at", "id") for name, columns in _LISTED_BY.items()),
    Index("ix_ingests_finished", "finished_at"),
    Index("ix_ingests_code", "error_code", "created_at", "id", postgresql_where=text("error_code IS NOT NULL")),
    Index("ix_ingests_retry_of", "retry_of", postgresql_where=text("retry_of IS NOT NULL")),
)

ingest_events = Table(
    "ingest_events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("ingest_id", ForeignKey("ingests.id"), nullable=False),
    Column("description", Prose, nullable=False),
    Column("once", Text, comment="at most one event of an ingest carries this key"),
    Column("detail", JSONB, nullable=False, server_default=EMPTY),
    _timestamp("created_at"),
    UniqueConstraint("ingest_id", "once"),
    Index("ix_ingest_events_ingest", "ingest_id", "id"),
)

replicas = Table(
    "replicas",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("bag_version_id", ForeignKey("bag_versions.id"), nullable=False),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("source_id", ForeignKey("locations.id"), nullable=False),
    Column("ingest_id", ForeignKey("ingests.id"), nullable=False, comment="the ingest that works on it now"),
    Column("lane", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("file_count", BigInteger),
    Column("bytes", BigInteger),
    Column("pins", JSONB),
    Column("error_code", Text),
    Column("priority", SmallInteger, nullable=False, server_default=text("0")),
    _timestamp("deadline", nullable=True),
    _timestamp("created_at"),
    *_claim_columns(),
    UniqueConstraint("bag_version_id", "location_id"),
    CheckConstraint("source_id <> location_id", name="source_is_not_destination"),
    _one_of("lane", ["daily", "backfill"]),
    _one_of("state", [s.value for s in ReplicaState]),
    Index("ix_replicas_due", "due_at", postgresql_where=text("state NOT IN ('registered', 'failed')")),
    *_stall_indexes("replicas", "ingest_id", open_rows="state NOT IN ('registered', 'failed')"),
    Index("ix_replicas_location", "location_id", "state"),
    Index(
        "ix_replicas_urgent",
        "priority",
        "deadline",
        postgresql_where=text("priority > 0 OR deadline IS NOT NULL"),
    ),
)

segments = Table(
    "segments",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("replica_id", ForeignKey("replicas.id"), nullable=False),
    Column("ingest_id", ForeignKey("ingests.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("files", JSONB, nullable=False),
    Column("file_count", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("error_code", Text),
    Column("hinted", Boolean, nullable=False, server_default=text("true"), comment="its hint is out, or was"),
    _timestamp("created_at"),
    *_claim_columns(),
    UniqueConstraint("ingest_id", "number"),
    _one_of("state", [s.value for s in SegmentState]),
    Index("ix_segments_due", "due_at", postgresql_where=text("state IN ('thawing', 'copying', 'verifying')")),
    *_stall_indexes("segments", "ingest_id", open_rows="state IN ('thawing', 'copying', 'verifying')"),
    Index(
        "ix_segments_hinted",
        "replica_id",
        "state",
        postgresql_where=text("hinted AND state IN ('thawing', 'copying', 'verifying')"),
    ),
    Index(
        "ix_segments_not_hinted",
        "replica_id",
        "state",
        "due_at",
        postgresql_where=text("NOT hinted AND state IN ('thawing', 'copying', 'verifying')"),
    ),
    Index(
        "ix_segments_unverified",
        "ingest_id",
        "state",
        postgresql_where=text("state <> 'verified'"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("message_id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("queue", Text, nullable=False),
    Column("body", Text, nullable=False),
    _timestamp("created_at"),
)

WORK = {"replica": replicas, "segment": segments, "import": imports, "check": fixity_checks}
"""The tables whose rows can be claimed, by kind."""
