"""What has become of a campaign's ingests: each end is counted once, so that the counts only grow."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text, update

from common.domain.campaign import CampaignState
from common.ledger.campaigns.tables import campaigns
from common.ledger.tables import NOW

_COUNT = """
WITH ended AS (
    SELECT item.bag_version_id, ingest.status
    FROM campaign_items item JOIN ingests ingest ON ingest.id = item.ingest_id
    WHERE item.campaign_id = :campaign AND item.released_at IS NOT NULL AND item.done_at IS NULL
      AND ingest.status IN ('succeeded', 'failed')
    LIMIT :most
), counted AS (
    UPDATE campaign_items item SET done_at = clock_timestamp(), outcome = ended.status
    FROM ended
    WHERE item.campaign_id = :campaign AND item.bag_version_id = ended.bag_version_id AND item.done_at IS NULL
    RETURNING item.outcome, item.files, item.bytes
)
SELECT count(*) FILTER (WHERE outcome = 'succeeded') AS succeeded,
       coalesce(sum(files) FILTER (WHERE outcome = 'succeeded'), 0) AS files,
       coalesce(sum(bytes) FILTER (WHERE outcome = 'succeeded'), 0) AS bytes,
       count(*) FILTER (WHERE outcome = 'failed') AS failed
FROM counted
"""
_MOST = 5_000

_LEFT = """
SELECT EXISTS (SELECT FROM campaign_items WHERE campaign_id = :campaign AND released_at IS NULL) AS waiting,
       EXISTS (SELECT FROM campaign_items
               WHERE campaign_id = :campaign AND released_at IS NOT NULL AND done_at IS NULL) AS under_way
"""
"""Two questions, because each has an index of its own."""


def count_ends(connection: Connection, campaign: Any) -> int:
    """Count the ingests that have ended since the last look; returns how many. The row is locked by the caller."""
    row = connection.execute(text(_COUNT), {"campaign": campaign.id, "most": _MOST}).one()
    ended = int(row.succeeded + row.failed)
    if ended:
        connection.execute(
            update(campaigns)
            .where(campaigns.c.id == campaign.id)
            .values(
                succeeded_bags=campaigns.c.succeeded_bags + row.succeeded,
                succeeded_files=campaigns.c.succeeded_files + row.files,
                succeeded_bytes=campaigns.c.succeeded_bytes + row.bytes,
                failed_bags=campaigns.c.failed_bags + row.failed,
            )
        )
    return ended


def finish_if_done(connection: Connection, campaign: Any) -> CampaignState | None:
    """End a campaign that has nothing left: the state in which it ended, None where it goes on."""
    left = connection.execute(text(_LEFT), {"campaign": campaign.id}).one()
    cancelled = campaign.state == CampaignState.CANCELLING.value
    if left.under_way or (left.waiting and not cancelled):
        return None
    ended = CampaignState.CANCELLED if cancelled else CampaignState.FINISHED
    connection.execute(
        update(campaigns).where(campaigns.c.id == campaign.id).values(state=ended.value, finished_at=NOW)
    )
    return ended
