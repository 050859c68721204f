"""Processes tell which locations they use, so that they can share a location's limits."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "location_shares",
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False, comment="a process, as claims name it"),
        sa.Column("used_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_location_shares_location_id")),
        sa.PrimaryKeyConstraint("location_id", "holder", name=op.f("pk_location_shares")),
    )
