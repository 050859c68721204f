"""Opening what lies in a queue never fails, whatever it is."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from kombu.transport.virtual import Base64

from common.adapters.queues import envelope

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["body", "properties"]), inner),
    max_leaves=8,
)


def _body(opened: dict[str, Any]) -> bytes:
    return Base64().decode(opened["body"])  # type: ignore[no-any-return, no-untyped-call]


@given(body=st.binary(), message_id=st.text())
def test_an_envelope_gives_back_its_body_and_message_id(body: bytes, message_id: str) -> None:
    sealed = {
        "body": base64.b64encode(body).decode(),
        "properties": {"body_encoding": "base64", "message_id": message_id},
    }

    opened = envelope.opened(sealed)

    assert (_body(opened), opened["properties"]["message_id"]) == (body, message_id)


@given(payload=JSON)
def test_json_that_is_no_envelope_becomes_its_own_body(payload: object) -> None:
    opened = envelope.opened(payload)

    assert json.loads(_body(opened)) == payload
    assert opened["properties"]["message_id"] == ""


@given(raw=st.binary())
def test_bytes_become_their_own_body(raw: bytes) -> None:
    assert _body(envelope.opened(raw)) == raw


def test_two_deliveries_of_one_message_have_different_tags() -> None:
    tags = {envelope.opened({"properties": {"delivery_tag": "same"}})["properties"]["delivery_tag"] for _ in range(2)}

    assert len(tags) == 2
