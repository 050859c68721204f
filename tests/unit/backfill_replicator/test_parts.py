"""How large objects are cut into parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill_replicator.parts import MIB, PartPlan, fault, plan
from common.ports import Limits

GIB, TIB = 1 << 30, 1 << 40
S3 = Limits(max_single_put=5 * GIB, min_part=5 * MIB, max_part=5 * GIB, max_parts=10_000, max_object=5 * TIB)
AZURE = Limits(
    max_single_put=5000 * MIB, min_part=1, max_part=4000 * MIB, max_parts=50_000, max_object=50_000 * 4000 * MIB
)


@pytest.mark.parametrize(
    ("size", "limits", "expected", "count"),
    [
        (0, S3, 8 * MIB, 0),
        (1, S3, 8 * MIB, 1),
        (8 * MIB, S3, 8 * MIB, 1),
        (8 * MIB + 1, S3, 8 * MIB, 2),
        (5 * GIB, S3, 8 * MIB, 640),
        (200 * GIB, AZURE, 8 * MIB, 25_600),
        (200 * GIB, S3, 21 * MIB, 9_753),
        (5 * TIB, S3, 525 * MIB, 9_987),
        (5 * TIB, AZURE, 105 * MIB, 49_933),
        (190 * TIB, AZURE, 3985 * MIB, 49_995),
    ],
)
def test_parts_are_as_small_as_the_provider_s_number_of_parts_allows(
    size: int, limits: Limits, expected: int, count: int
) -> None:
    planned = plan(size, limits)

    assert (planned, planned.count) == (PartPlan(size, expected), count)
    assert count <= limits.max_parts


limits = st.builds(
    lambda low, more, parts, most: Limits(low, low, low + more, parts, most),
    low=st.integers(1, 8 * MIB),
    more=st.integers(0, 6 * GIB),
    parts=st.integers(1, 50_000),
    most=st.integers(0, 200 * TIB),
)


@given(size=st.integers(0, 200 * TIB), limits=limits)
def test_whatever_the_limits_parts_cover_the_object_exactly_or_the_fault_is_told_beforehand(
    size: int, limits: Limits
) -> None:
    if fault(size, limits):
        assert size > min(limits.max_object, limits.max_part * limits.max_parts)
        return

    planned = plan(size, limits)

    lengths = [planned.length(1), planned.length(planned.count)] if planned.count else []
    assert planned.count <= limits.max_parts
    assert planned.part_size <= limits.max_part
    assert planned.part_size >= limits.min_part
    assert all(0 < length <= planned.part_size for length in lengths)
    assert (planned.count - 1) * planned.part_size + lengths[-1] == size if lengths else size == 0


def test_a_size_that_no_parts_can_hold_is_refused_in_a_sentence() -> None:
    assert fault(5 * TIB + 1, S3) == f"{5 * TIB + 1} bytes are more than the {5 * TIB} the provider can hold"
    assert fault(5 * TIB, S3) is None
    with pytest.raises(ValueError, match="would need parts of"):
        plan(100, Limits(1, 1, 10, 9, 1000))
