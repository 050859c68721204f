"""The body of RestoreObject."""

from __future__ import annotations

import pytest

from local_stack.cold_s3.archive import Tier
from local_stack.cold_s3.restore_request import MalformedRequest, parse

_XMLNS = b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@pytest.mark.parametrize(
    ("inside", "parsed"),
    [
        (b"<Days>7</Days>", (Tier.STANDARD, 7)),
        (b"<Days>7</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>", (Tier.BULK, 7)),
        (b"<GlacierJobParameters><Tier>Expedited</Tier></GlacierJobParameters>", (Tier.EXPEDITED, None)),
        (b"<Tier>Bulk</Tier>", (Tier.BULK, None)),
        (b"", (Tier.STANDARD, None)),
    ],
)
def test_tier_and_days_are_read_with_standard_as_the_default(inside: bytes, parsed: tuple[Tier, int | None]) -> None:
    assert parse(b"<RestoreRequest %s>%s</RestoreRequest>" % (_XMLNS, inside)) == parsed


@pytest.mark.parametrize("body", [b"", b"<RestoreRequest>", b"<R><Days>x</Days></R>", b"<R><Tier>Fast</Tier></R>"])
def test_anything_else_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        parse(body)
