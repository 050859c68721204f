"""Campaigns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from common.ledger.migrations.online import add_index

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # First what commits by itself: a migration that was interrupted is run from its beginning.
    op.add_column("ingests", sa.Column("campaign_id", sa.Uuid(), nullable=True), if_not_exists=True)
    add_index("ix_ingests_campaign", "ingests (campaign_id) WHERE campaign_id IS NOT NULL")
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("destination_id", sa.Text(), nullable=False),
        sa.Column("selection", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ordering", sa.Text(), nullable=False),
        sa.Column(
            "options", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("bags_in_flight", sa.Integer(), nullable=False),
        sa.Column("bytes_in_flight", sa.BigInteger(), nullable=True),
        sa.Column("bytes_per_day", sa.BigInteger(), nullable=True),
        sa.Column("expected_count", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "cursor",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="bag_versions.id selected so far",
        ),
        sa.Column("bags", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("files", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("succeeded_bags", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("succeeded_files", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("succeeded_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed_bags", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("already_there_bags", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "ordering IN ('oldest', 'smallest', 'registered')", name=op.f("ck_campaigns_ordering_is_known")
        ),
        sa.CheckConstraint(
            "state IN ('selecting', 'creating', 'running', 'cancelling', 'finished', 'cancelled', 'refused')",
            name=op.f("ck_campaigns_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["destination_id"], ["locations.id"], name=op.f("fk_campaigns_destination_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index("ix_campaigns_created", "campaigns", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_campaigns_open", "campaigns", ["priority"], unique=False, postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_table(
        "campaign_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "actor", sa.Text(), server_default="", nullable=False, comment="who asked for it; empty: the service itself"
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_events_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_events")),
    )
    op.create_index("ix_campaign_events_campaign", "campaign_events", ["campaign_id", "id"], unique=False)
    op.create_table(
        "campaign_items",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("bag_version_id", sa.BigInteger(), nullable=False),
        sa.Column("sort_key", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("ingest_id", sa.Uuid(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True, comment="let into the pipeline"),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True, comment="its end was counted"),
        sa.Column("outcome", sa.Text(), nullable=True, comment="the ingest's status at its end"),
        sa.CheckConstraint(
            "disposition IN ('created', 'joined', 'already there')", name=op.f("ck_campaign_items_disposition_is_known")
        ),
        sa.CheckConstraint("outcome IN ('succeeded', 'failed')", name=op.f("ck_campaign_items_outcome_is_known")),
        sa.ForeignKeyConstraint(["bag_version_id"], ["bag_versions.id"], name=op.f("fk_campaign_items_bag_version_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_items_campaign_id")),
        sa.ForeignKeyConstraint(["ingest_id"], ["ingests.id"], name=op.f("fk_campaign_items_ingest_id")),
        sa.PrimaryKeyConstraint("campaign_id", "bag_version_id", name=op.f("pk_campaign_items")),
    )
    op.create_index(
        "ix_campaign_items_done",
        "campaign_items",
        ["campaign_id", "done_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NOT NULL"),
    )
    op.create_index(
        "ix_campaign_items_failed",
        "campaign_items",
        ["campaign_id", "bag_version_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'failed'"),
    )
    op.create_index("ix_campaign_items_ingest", "campaign_items", ["ingest_id"], unique=False)
    op.create_index(
        "ix_campaign_items_released",
        "campaign_items",
        ["campaign_id", "released_at"],
        unique=False,
        postgresql_where=sa.text("released_at IS NOT NULL"),
    )
    op.create_index(
        "ix_campaign_items_uncreated",
        "campaign_items",
        ["campaign_id", "sort_key", "bag_version_id"],
        unique=False,
        postgresql_where=sa.text("disposition IS NULL"),
    )
    op.create_index(
        "ix_campaign_items_under_way",
        "campaign_items",
        ["campaign_id", "ingest_id"],
        unique=False,
        postgresql_where=sa.text("released_at IS NOT NULL AND done_at IS NULL"),
    )
    op.create_index(
        "ix_campaign_items_waiting",
        "campaign_items",
        ["campaign_id", "sort_key", "bag_version_id"],
        unique=False,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_foreign_key(
        op.f("fk_ingests_campaign_id"), "ingests", "campaigns", ["campaign_id"], ["id"], postgresql_not_valid=True
    )
    op.execute("ALTER TABLE ingests VALIDATE CONSTRAINT fk_ingests_campaign_id")
    op.execute(
        "CREATE TRIGGER campaign_history_only_grows BEFORE UPDATE OR DELETE ON campaign_events "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
