"""Hints on the wire."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common import messages
from common.messages import Hint, NotAHint

SAMPLES: dict[bytes, Hint] = {
    b'{"replica_id":7,"type":"ReplicaRequested"}': messages.ReplicaRequested(replica_id=7),
    b'{"segment_id":7,"type":"SegmentPlanned"}': messages.SegmentPlanned(segment_id=7),
    b'{"segment_id":7,"type":"SegmentThawed"}': messages.SegmentThawed(segment_id=7),
    b'{"segment_id":7,"type":"SegmentCopied"}': messages.SegmentCopied(segment_id=7),
    b'{"replica_id":7,"type":"SegmentsVerified"}': messages.SegmentsVerified(replica_id=7),
    b'{"replica_id":7,"type":"ReplicaAggregated"}': messages.ReplicaAggregated(replica_id=7),
    b'{"type":"ImportRequested","import_id":7}': messages.ImportRequested(import_id=7),
    b'{"type":"TagFilesFrozen","import_id":7}': messages.TagFilesFrozen(import_id=7),
}
"""What earlier versions sent, byte for byte. Add; never change."""


@pytest.mark.parametrize(("body", "hint"), SAMPLES.items())
def test_what_earlier_versions_sent_still_decodes(body: bytes, hint: Hint) -> None:
    assert messages.decode(body) == hint
    assert hint.row_id == 7


@pytest.mark.parametrize("hint", SAMPLES.values())
def test_a_hint_survives_the_wire(hint: Hint) -> None:
    assert messages.decode(messages.encode(hint)) == hint


def test_fields_of_later_versions_are_ignored() -> None:
    later = b'{"type":"SegmentThawed","segment_id":7,"fence":3,"trace":{"id":"x"}}'

    assert messages.decode(later) == messages.SegmentThawed(segment_id=7)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"SegmentThawed"',
        b"\xff\xfe",
        b"\x80\x04\x95.",
        b'{"type":"SegmentThawed"}',
        b'{"type":"SegmentThawed","segment_id":null}',
        b'{"type":"SegmentThawed","segment_id":"x"}',
        b'{"type":"SegmentThawed","segment_id":-1}',
        b'{"type":"SegmentThawed","segment_id":9223372036854775808}',
        b'{"type":"SegmentThawed","segment_id":1.5}',
        b'{"type":"SegmentThawed","replica_id":1}',
        b'{"type":"Unheard","segment_id":1}',
        b'{"segment_id":1}',
        b"[" * 60_000,
        b'{"type":"SegmentThawed","segment_id":1,"x":"' + b"x" * messages.MAX_BYTES + b'"}',
    ],
)
def test_anything_else_is_not_a_hint(body: bytes) -> None:
    with pytest.raises(NotAHint, match=r"\S"):
        messages.decode(body)


@given(st.one_of(st.binary(max_size=200), st.text().map(lambda text: text.encode(errors="surrogatepass"))))
@example(b'{"type":"\\ud800"}')
def test_random_bytes_raise_nothing_but_not_a_hint(body: bytes) -> None:
    with pytest.raises(NotAHint):
        messages.decode(body)
