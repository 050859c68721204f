"""Requirements."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "requirements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=True, comment="empty: every space"),
        sa.Column(
            "heals",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="an audit begins campaigns by itself",
        ),
        sa.Column(
            "heals_at_most",
            sa.Integer(),
            server_default=sa.text("1000"),
            nullable=False,
            comment="bag versions in one campaign",
        ),
        sa.Column("bags_in_flight", sa.Integer(), server_default=sa.text("50"), nullable=False),
        sa.Column("audited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing_bags", sa.BigInteger(), nullable=True, comment="as the last audit counted them"),
        sa.Column("missing_bytes", sa.BigInteger(), nullable=True),
        sa.Column(
            "failed_bags",
            sa.BigInteger(),
            nullable=True,
            comment="missing, and the last attempt failed: the audit leaves them to people",
        ),
        sa.Column("campaign_id", sa.Uuid(), nullable=True, comment="the last campaign that the audit began"),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_requirements_campaign_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_requirements_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requirements")),
    )
    op.create_index(
        "uq_requirements_place", "requirements", ["location_id", sa.text("coalesce(space, '')")], unique=True
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
