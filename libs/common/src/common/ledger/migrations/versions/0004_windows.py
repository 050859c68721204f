"""Segments know whether they are hinted, so that of one replica only a few are at a time."""

import sqlalchemy as sa
from alembic import op

from common.ledger.migrations.online import add_index

revision = "0004"
down_revision = "0003"

_WORKED_ON = "state IN ('thawing', 'copying', 'verifying')"


def upgrade() -> None:
    # True: services of the release before hint every segment at once, and go on to while both run.
    op.add_column(
        "segments",
        sa.Column(
            "hinted", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="its hint is out, or was"
        ),
        if_not_exists=True,
    )
    add_index("ix_segments_hinted", f"segments (replica_id, state) WHERE hinted AND {_WORKED_ON}")
    add_index("ix_segments_not_hinted", f"segments (replica_id, state, due_at) WHERE NOT hinted AND {_WORKED_ON}")
