"""What must hold of messages and requests, whatever the bytes."""

from __future__ import annotations

import base64
import csv
import io
import json

from pydantic import ValidationError

from common import messages
from common.adapters.queues.envelope import opened
from common.web.answers import Refused
from common.web.bodies import parsed
from common.web.fields import Invalid
from ingests_api import request
from ingests_api.campaigns.lists import read_list
from ingests_api.campaigns.request import CampaignRequest, bag_name


def message(data: bytes) -> None:
    """A hint that survives the wire, or NotAHint with a reason."""
    try:
        hint = messages.decode(data)
    except messages.NotAHint as refused:
        assert str(refused).isprintable(), refused
        return
    assert 0 <= hint.row_id < 2**63
    assert messages.decode(messages.encode(hint)) == hint


def envelope(data: bytes) -> None:
    """Whatever lies in a queue is opened to bytes, which kombu can hand on."""
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        payload = data
    found = opened(payload)
    body = base64.b64decode(found["body"], validate=True)
    assert found["headers"] == {}, "a stranger's headers reach kombu"
    assert isinstance(found["properties"]["delivery_tag"], str)
    if isinstance(payload, bytes):
        assert body == payload


def ingest_request(data: bytes) -> None:
    """A request that can be kept, or a refusal that can be sent."""
    try:
        wanted = request.parse(parsed(data))
    except Refused as refused:
        _sendable(refused.description)
        assert 400 <= refused.status < 500
        return
    except Invalid as invalid:
        _sendable(str(invalid))
        return
    source = wanted.source
    kept = [wanted.space.value, wanted.external_identifier.value, wanted.destination, wanted.callback_url]
    kept += [source.id, source.bucket, source.path] if source else []
    for text in filter(None, kept):
        _sendable(text)
        assert "\0" not in text, "PostgreSQL cannot keep it"
    assert str(wanted.options).isprintable()


def campaign_list(data: bytes) -> None:
    """A list of bags as CSV: every line a bag that can be named again, or a refusal that can be sent."""
    try:
        names = read_list(data)
    except Refused as refused:
        _sendable(refused.description)
        assert refused.status in (400, 413)
        return
    assert names
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["space", "external_identifier", "version"])
    rows.writerows(
        (space, identifier, "" if version is None else f"v{version}") for space, identifier, version in names
    )
    assert read_list(text.getvalue().encode()) == names
    for space, identifier, version in names:
        assert not {".", ".."} & set(f"{space}/{identifier}".split("/"))
        assert "\0" not in space + identifier
        assert bag_name(f"{space}/{identifier}" + (f"/v{version}" if version else "")) == (space, identifier, version)


def campaign_request(data: bytes) -> None:
    """A campaign that can be kept, or a refusal that can be sent."""
    try:
        wanted = CampaignRequest.model_validate(parsed(data))
    except Refused as refused:
        _sendable(refused.description)
        return
    except ValidationError as invalid:
        _sendable(str(invalid))
        return
    kept = wanted.model_dump_json(by_alias=True, exclude_none=True)
    # An escaped backslash before the letters u0000 is text like any other.
    assert "\\u0000" not in kept.replace("\\\\", ""), "PostgreSQL cannot keep it"
    assert CampaignRequest.model_validate_json(kept) == wanted


def _sendable(text: str) -> None:
    text.encode("utf-8")
