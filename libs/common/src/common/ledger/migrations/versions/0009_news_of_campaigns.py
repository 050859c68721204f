"""Campaigns tell of themselves too: of each change of state, and at each tenth of the way."""

from alembic import op

revision = "0009"
down_revision = "0008"

_TOLD = """
CREATE FUNCTION tell_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO announcements (type, subject, detail)
    VALUES ('campaign.progressed', NEW.id::text, jsonb_build_object(
        'name', NEW.name, 'destination', NEW.destination_id, 'state', NEW.state, 'bags', NEW.bags,
        'succeeded', NEW.succeeded_bags, 'failed', NEW.failed_bags));
    RETURN NULL;
END $$
"""
_WHEN = """
CREATE TRIGGER campaigns_tell AFTER UPDATE ON campaigns FOR EACH ROW
WHEN (OLD.state <> NEW.state
    OR (OLD.succeeded_bags + OLD.failed_bags) * 10 / nullif(NEW.bags, 0)
        < (NEW.succeeded_bags + NEW.failed_bags) * 10 / nullif(NEW.bags, 0))
EXECUTE FUNCTION tell_of_campaign()
"""


def upgrade() -> None:
    op.execute(_TOLD)
    op.execute(_WHEN)


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
