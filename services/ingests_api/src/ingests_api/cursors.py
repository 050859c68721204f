"""Cursors of lists by date: opaque to clients, stable while rows are added."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from common.ledger.listing import Place
from common.web.answers import Refused


def cursor_text(place: Place) -> str:
    moment, ingest_id = place
    text = json.dumps([moment.isoformat(), str(ingest_id)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def cursor_place(text: str | None) -> Place | None:
    """Raises Refused for what is no cursor."""
    if text is None:
        return None
    try:
        moment, ingest_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        place = datetime.fromisoformat(moment), UUID(ingest_id)
        if place[0].tzinfo is None:
            raise ValueError("no time zone")
    except (ValueError, TypeError, AttributeError, binascii.Error):
        told = f'Invalid value at ?after: got "{text[:100]}", must be the "next" of the page before.'
        raise Refused(400, told) from None
    return place
