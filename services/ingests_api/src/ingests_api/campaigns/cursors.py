"""Cursors: opaque to clients, stable while rows are added."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from common.domain.bag import BagVersion
from common.ledger.campaigns.records import CampaignRecord
from common.web.answers import Refused
from ingests_api.campaigns.request import bag_name


def cursor_text(campaign: CampaignRecord) -> str:
    """The place behind this campaign in a list."""
    place = json.dumps([campaign.created_at.isoformat(), str(campaign.id)])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def campaign_cursor(text: str | None) -> tuple[datetime, UUID] | None:
    """Raises Refused for what is no cursor."""
    if text is None:
        return None
    try:
        moment, campaign_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return datetime.fromisoformat(moment), UUID(campaign_id)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise _no_cursor(text) from None


def bag_cursor(text: str | None) -> BagVersion | None:
    """Raises Refused for what is no cursor."""
    if text is None:
        return None
    try:
        space, identifier, version = bag_name(text)
        return BagVersion.of(space, identifier, version or 0)
    except ValueError:
        raise _no_cursor(text) from None


def _no_cursor(text: str) -> Refused:
    return Refused(400, f'Invalid value at ?after: got "{text[:100]}", must be the "next" of the page before.')
