"""One digest for each day."""

import sqlalchemy as sa
from alembic import op

from common.ledger.migrations.online import add_index

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "digests",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_digests")),
        if_not_exists=True,
    )
    add_index("ix_ingests_finished", "ingests (finished_at)")


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
