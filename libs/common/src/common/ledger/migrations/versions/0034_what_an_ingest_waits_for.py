"""Finding what of an ingest is thawing. Every statement can be repeated."""

from common.ledger.migrations.online import add_index

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    add_index(
        "ix_thaw_admissions_ingest",
        "thaw_admissions (ingest_id) WHERE released_at IS NULL AND readable_at IS NULL",
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
