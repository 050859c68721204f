"""The tables of campaigns."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from common.domain.campaign import CampaignState, Disposition, Order
from common.ledger.columns import EMPTY, metadata, one_of, timestamp

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("destination_id", ForeignKey("locations.id"), nullable=False),
    Column("selection", JSONB, nullable=False),
    Column("ordering", Text, nullable=False),
    Column("options", JSONB, nullable=False, server_default=EMPTY),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("bags_in_flight", Integer, nullable=False),
    Column("bytes_in_flight", BigInteger),
    Column("bytes_per_day", BigInteger),
    Column("expected_count", BigInteger),
    Column("created_by", Text, nullable=False),
    Column("cursor", BigInteger, nullable=False, server_default=text("0"), comment="bag_versions.id selected so far"),
    Column("bags", BigInteger, nullable=False, server_default=text("0")),
    Column("files", BigInteger, nullable=False, server_default=text("0")),
    Column("bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("succeeded_bags", BigInteger, nullable=False, server_default=text("0")),
    Column("succeeded_files", BigInteger, nullable=False, server_default=text("0")),
    Column("succeeded_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("failed_bags", BigInteger, nullable=False, server_default=text("0")),
    Column("already_there_bags", BigInteger, nullable=False, server_default=text("0")),
    Column("reason", Text),
    timestamp("created_at"),
    timestamp("finished_at", nullable=True),
    one_of("state", [state.value for state in CampaignState]),
    one_of("ordering", [order.value for order in Order]),
    Index("ix_campaigns_created", "created_at", "id"),
    Index("ix_campaigns_open", "priority", postgresql_where=text("finished_at IS NULL")),
)

campaign_items = Table(
    "campaign_items",
    metadata,
    Column("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    Column("bag_version_id", ForeignKey("bag_versions.id"), primary_key=True),
    Column("sort_key", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("disposition", Text),
    Column("ingest_id", ForeignKey("ingests.id")),
    Column("released_at", DateTime(timezone=True), comment="let into the pipeline"),
    Column("done_at", DateTime(timezone=True), comment="its end was counted"),
    Column("outcome", Text, comment="the ingest's status at its end"),
    one_of("disposition", [disposition.value for disposition in Disposition]),
    one_of("outcome", ["succeeded", "failed"]),
    Index(
        "ix_campaign_items_waiting",
        "campaign_id",
        "sort_key",
        "bag_version_id",
        postgresql_where=text("released_at IS NULL"),
    ),
    Index(
        "ix_campaign_items_uncreated",
        "campaign_id",
        "sort_key",
        "bag_version_id",
        postgresql_where=text("disposition IS NULL"),
    ),
    Index(
        "ix_campaign_items_under_way",
        "campaign_id",
        "ingest_id",
        postgresql_where=text("released_at IS NOT NULL AND done_at IS NULL"),
    ),
    Index("ix_campaign_items_done", "campaign_id", "done_at", postgresql_where=text("done_at IS NOT NULL")),
    Index("ix_campaign_items_released", "campaign_id", "released_at", postgresql_where=text("released_at IS NOT NULL")),
    Index("ix_campaign_items_failed", "campaign_id", "bag_version_id", postgresql_where=text("outcome = 'failed'")),
    Index("ix_campaign_items_ingest", "ingest_id"),
)

campaign_events = Table(
    "campaign_events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("description", Text, nullable=False),
    Column("actor", Text, nullable=False, server_default="", comment="who asked for it; empty: the service itself"),
    timestamp("created_at"),
    Index("ix_campaign_events_campaign", "campaign_id", "id"),
)

HELD = text("timestamptz '9999-01-01 00:00:00+00'")
"""`not_before` and `due_at` of a replica that its campaign has not let in yet: no claim takes it, no reaper sees it."""
