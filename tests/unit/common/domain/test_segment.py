"""Cutting a bag into segments."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from common.domain.fixity import Algorithm
from common.domain.segment import PlannedFile, SegmentLimits, cut


def files(sizes: list[int]) -> list[PlannedFile]:
    return [PlannedFile(f"data/{n}", f"v1/data/{n}", size, {}, "e") for n, size in enumerate(sizes)]


def sizes_of(sizes: list[int], limits: SegmentLimits) -> list[list[int]]:
    return [[file.size for file in segment.files] for segment in cut(files(sizes), limits=limits)]


@given(st.lists(st.integers(0, 30)), st.integers(1, 5), st.integers(1, 20))
def test_nothing_is_lost_the_order_is_kept_and_only_a_giant_alone_exceeds_the_limit(
    sizes: list[int], most_files: int, most_bytes: int
) -> None:
    given_files = files(sizes)

    segments = list(cut(given_files, limits=SegmentLimits(files=most_files, bytes=most_bytes)))

    assert [file for segment in segments for file in segment.files] == given_files
    assert [segment.number for segment in segments] == list(range(1, len(segments) + 1))
    assert all(1 <= len(segment.files) <= most_files for segment in segments)
    assert all(segment.bytes <= most_bytes or len(segment.files) == 1 for segment in segments)


def test_a_giant_file_has_a_segment_of_its_own() -> None:
    assert sizes_of([1, 1, 50, 0, 1], SegmentLimits(files=9, bytes=10)) == [[1, 1], [50], [0, 1]]


def test_a_segment_is_full_at_its_limits_and_not_before() -> None:
    assert sizes_of([5, 5, 1], SegmentLimits(files=9, bytes=10)) == [[5, 5], [1]]
    assert sizes_of([0] * 5, SegmentLimits(files=2, bytes=10)) == [[0, 0], [0, 0], [0]]
    assert sizes_of([], SegmentLimits()) == []


def test_a_planned_file_survives_the_ledger_s_json() -> None:
    small = PlannedFile("data/é💾", "v1/data/é💾", 0, {Algorithm.SHA512: "0" * 128}, "e")
    full = PlannedFile("data/a", "v1/data/a", 3, {Algorithm.MD5: "1" * 32}, "e", "v", "GLACIER", True, "v1/data/a^2E")

    for file in (small, full):
        assert PlannedFile.from_json(json.loads(json.dumps(file.to_json()))) == file
