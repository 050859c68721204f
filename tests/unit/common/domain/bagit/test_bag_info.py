"""bag-info.txt's values."""

from __future__ import annotations

import pytest

from common.domain.bagit.bag_info import read_bag_info
from common.domain.problem import Problem


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (["External-Identifier: b1"], [("External-Identifier", "b1")]),
        (["External-Identifier:", " b1"], [("External-Identifier", "b1")]),
        (["Description: one", "\ttwo", "  three"], [("Description", "one two three")]),
        (["Description:", "Contact: x"], [("Description", ""), ("Contact", "x")]),
    ],
)
def test_a_value_is_what_is_written_on_its_own_and_the_indented_lines(
    text: list[str], fields: list[tuple[str, str]]
) -> None:
    problems: list[Problem] = []

    info = read_bag_info(enumerate(text, start=1), name="bag-info.txt", strict=False, report=problems.append)

    assert (list(info.fields), problems) == (fields, [])
