"""Refusals in two forms: the one that existing clients know, and RFC 9457."""

from __future__ import annotations

import pytest

from common.web.answers import prefers_problem
from common.web.problems import PROBLEMS, code_of


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ([], False),
        (["*/*"], False),
        (["application/json"], False),
        (["application/problem+json"], True),
        (["Application/Problem+JSON"], True),
        (["application/json, application/problem+json"], True),
        (["application/json", "application/problem+json"], True),
        (["application/json;q=0.5, application/problem+json;q=0.9"], True),
        (["application/json, application/problem+json;q=0.9"], False),
        (["application/problem+json;q=0"], False),
        (["application/problem+json;q=nonsense"], False),
        (["application/problem+json; charset=utf-8; q=1.0"], True),
        ([";;,,"], False),
    ],
)
def test_a_problem_document_is_sent_to_who_asks_for_it(accept: list[str], expected: bool) -> None:
    assert prefers_problem(accept) is expected


@pytest.mark.parametrize("status", sorted({problem.status for problem in PROBLEMS.values()}))
def test_every_status_that_is_refused_with_has_a_code_of_its_own(status: int) -> None:
    assert PROBLEMS[code_of(status)].status == status


def test_a_status_without_one_has_the_nearest() -> None:
    assert [code_of(status) for status in (418, 502)] == ["request_invalid", "unexpected"]
