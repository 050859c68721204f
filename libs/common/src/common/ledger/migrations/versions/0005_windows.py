"""Segments know whether they are hinted, so that of one replica only a few are at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0006"

_WORKED_ON = "state IN ('thawing', 'copying', 'verifying')"


def upgrade() -> None:
    # True: services of the release before hint every segment at once, and go on to while both run.
    op.add_column(
        "segments",
        sa.Column(
            "hinted", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="its hint is out, or was"
        ),
    )
    op.create_index(
        "ix_segments_hinted",
        "segments",
        ["replica_id", "state"],
        unique=False,
        postgresql_where=sa.text(f"hinted AND {_WORKED_ON}"),
    )
    op.create_index(
        "ix_segments_not_hinted",
        "segments",
        ["replica_id", "state", "due_at"],
        unique=False,
        postgresql_where=sa.text(f"NOT hinted AND {_WORKED_ON}"),
    )
