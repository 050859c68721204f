"""One process at a time looks after all."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "upkeep_turns",
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_upkeep_turns")),
        if_not_exists=True,
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
