"""The ingests of a campaign, a batch at a time by a handful of statements, none of them let into the pipeline yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from common.domain.naming import MAPPED_NAMES

BATCH = 2_000
"""Ingests created in one transaction."""

_TABLE = """
CREATE TEMPORARY TABLE IF NOT EXISTS campaign_batch (
    bag_version_id bigint PRIMARY KEY, ingest_id uuid NOT NULL, disposition text NOT NULL
) ON COMMIT DROP
"""

_CHOOSE = """
INSERT INTO campaign_batch (bag_version_id, ingest_id, disposition)
SELECT item.bag_version_id, gen_random_uuid(),
       CASE WHEN EXISTS (SELECT FROM bag_locations there
                         WHERE there.bag_version_id = item.bag_version_id AND there.location_id = :destination)
            THEN 'already there' ELSE 'joined' END
FROM campaign_items item
WHERE item.campaign_id = :campaign AND item.disposition IS NULL
ORDER BY item.sort_key, item.bag_version_id
LIMIT :batch
"""

_INGESTS = """
WITH accepted AS (
    INSERT INTO ingests (id, ingest_type, space, external_identifier, version, bag_version_id, source_id,
                         destination_id, status, options, campaign_id)
    SELECT batch.ingest_id, 'backfill', bag.space, bag.external_identifier, bag.version, bag.id,
           coalesce(warm.location_id, home.location_id), :destination, 'accepted', CAST(:options AS jsonb), :campaign
    FROM campaign_batch batch
    JOIN bag_versions bag ON bag.id = batch.bag_version_id
    JOIN bag_locations home ON home.bag_version_id = bag.id AND home.role = 'primary'
    LEFT JOIN LATERAL (
        SELECT copy.location_id FROM bag_locations copy
        WHERE copy.bag_version_id = bag.id AND copy.location_id = ANY (CAST(:warm AS text[]))
          AND copy.location_id <> :destination AND copy.evidence_class >= 'E3'
          AND NOT EXISTS (SELECT FROM ingest_events event
                          WHERE event.ingest_id = copy.ingest_id AND event.detail ? :mapped)
        ORDER BY array_position(CAST(:warm AS text[]), copy.location_id)
        LIMIT 1
    ) warm ON true
    WHERE batch.disposition = 'joined'
    ON CONFLICT (bag_version_id, destination_id) WHERE status IN ('accepted', 'processing') DO NOTHING
    RETURNING id
)
UPDATE campaign_batch batch SET disposition = 'created' FROM accepted WHERE accepted.id = batch.ingest_id
"""

_JOINED = """
UPDATE campaign_batch batch SET ingest_id = running.id
FROM ingests running
WHERE batch.disposition = 'joined' AND running.bag_version_id = batch.bag_version_id
  AND running.destination_id = :destination AND running.status IN ('accepted', 'processing')
"""

_REPLICAS = """
INSERT INTO replicas AS known (bag_version_id, location_id, source_id, ingest_id, lane, state, priority, not_before,
                               due_at)
SELECT ingest.bag_version_id, :destination, ingest.source_id, ingest.id, 'backfill', 'planning', :priority,
       timestamptz '9999-01-01 00:00:00+00', timestamptz '9999-01-01 00:00:00+00'
FROM campaign_batch batch JOIN ingests ingest ON ingest.id = batch.ingest_id
WHERE batch.disposition = 'created'
ON CONFLICT (bag_version_id, location_id) DO UPDATE
SET state = 'planning', ingest_id = excluded.ingest_id, source_id = excluded.source_id, lane = excluded.lane,
    priority = excluded.priority, deadline = NULL, attempts = 0, progress = '{}',
    pins = NULL, file_count = NULL, bytes = NULL, error_code = NULL,
    last_error = NULL, claimed_by = NULL, lease_until = NULL,
    not_before = excluded.not_before, due_at = excluded.due_at
WHERE known.state = 'failed'
"""

_LATE = """
WITH late AS (
    UPDATE campaign_batch batch SET disposition = 'late'
    WHERE batch.disposition = 'created' AND NOT EXISTS (SELECT FROM replicas WHERE ingest_id = batch.ingest_id)
    RETURNING batch.ingest_id
), told AS (
    INSERT INTO ingest_events (ingest_id, description)
    SELECT ingest_id, 'Register succeeded (completed) - the bag was registered there a moment before' FROM late
)
UPDATE ingests SET status = 'succeeded', finished_at = clock_timestamp() FROM late WHERE ingests.id = late.ingest_id
"""
"""Registered by another ingest between the first statement and the third: there is nothing left to do."""

_EVENTS = """
INSERT INTO ingest_events (ingest_id, description, once)
SELECT ingest_id, :said, 'campaign:created' FROM campaign_batch WHERE disposition = 'created'
"""

_SETTLE = """
UPDATE campaign_items item
SET disposition = CASE WHEN batch.disposition = 'late' THEN 'created' ELSE batch.disposition END,
    ingest_id = CASE WHEN batch.disposition = 'already there' THEN NULL ELSE batch.ingest_id END,
    released_at = CASE WHEN batch.disposition = 'created' THEN NULL ELSE clock_timestamp() END,
    done_at = CASE WHEN batch.disposition = 'already there' THEN clock_timestamp() END
FROM campaign_batch batch
WHERE item.campaign_id = :campaign AND item.bag_version_id = batch.bag_version_id
  AND (batch.disposition <> 'joined' OR EXISTS (SELECT FROM ingests WHERE id = batch.ingest_id))
"""

_COUNT = """
UPDATE campaigns SET already_there_bags = already_there_bags
    + (SELECT count(*) FROM campaign_batch WHERE disposition = 'already there')
WHERE id = :campaign
"""


def create_batch(connection: Connection, campaign: Any, *, warm: Sequence[str]) -> bool:
    """Create the next ingests; True when every item has been dealt with. The campaign's row is locked by the caller.

    `warm`: locations to copy from rather than from the primary, the preferred first, where they hold a copy that was
    read back and has no mapped names.

    An item whose running ingest ended between two statements is left for the next batch. The unique index on
    running ingests decides between campaigns and requests that want the same copy at the same time.
    """
    facts = {
        "campaign": campaign.id,
        "destination": campaign.destination_id,
        "options": json.dumps(campaign.options | ({"priority": campaign.priority} if campaign.priority > 0 else {})),
        "priority": max(0, campaign.priority),
        "warm": list(warm),
        "mapped": MAPPED_NAMES,
        "batch": BATCH,
        "said": f"Accepted as part of {_named(campaign)}: waits until the campaign lets it in",
    }
    connection.execute(text(_TABLE))
    connection.execute(text("DELETE FROM campaign_batch"))
    chosen = connection.execute(text(_CHOOSE), facts).rowcount
    if not chosen:
        return True
    for statement in (_INGESTS, _JOINED, _REPLICAS, _LATE, _EVENTS, _SETTLE, _COUNT):
        connection.execute(text(statement), facts)
    return False


def _named(campaign: Any) -> str:
    return f"campaign {campaign.name}" if campaign.name else f"campaign {campaign.id}"
