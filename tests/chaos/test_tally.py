"""The proxies' tallies tell what no store should have been asked."""

from __future__ import annotations

import pytest

from chaos.http_frames import Head
from chaos.tally import Touched, Writes


def request(line: str) -> Head:
    return Head(b"", f"{line} HTTP/1.1", {})


def answer(status: int) -> Head:
    return Head(b"", f"HTTP/1.1 {status} Whatever", {})


def test_a_blob_that_is_created_twice_is_told_by_its_name() -> None:
    writes = Writes()

    for _ in range(2):
        writes.note(request("PUT /account/replica/a%20bag/v1/data/x?sig=s"), answer(201))

    assert writes.wrong() == ["a bag/v1/data/x was created 2 times"]


def test_blocks_refused_writes_and_one_commit_are_as_they_should_be() -> None:
    writes = Writes()

    for number in "12":
        writes.note(request(f"PUT /account/replica/film?comp=block&blockid={number}"), answer(201))
    writes.note(request("PUT /account/replica/film?comp=blocklist"), answer(201))
    writes.note(request("PUT /account/replica/film?comp=blocklist"), answer(409))
    writes.note(request("GET /account/replica/film"), answer(200))

    assert writes.wrong() == []


def test_what_an_operator_removed_may_be_created_again() -> None:
    writes = Writes()
    writes.note(request("PUT /account/replica/x"), answer(201))

    writes.removed_by_operator("x")
    writes.note(request("PUT /account/replica/x"), answer(201))

    assert writes.wrong() == []


def test_a_deleted_blob_is_told() -> None:
    writes = Writes()

    writes.note(request("DELETE /account/replica/x"), answer(202))

    assert writes.wrong() == ["DELETE /account/replica/x was asked, and done"]


@pytest.mark.parametrize("line", ["GET /archive/x", "HEAD /archive/x", "POST /archive/x?restore"])
def test_a_source_may_be_read_and_asked_to_restore(line: str) -> None:
    touched = Touched()

    touched.note(request(line), answer(200))

    assert touched.wrong() == []


@pytest.mark.parametrize("line", ["PUT /archive/x", "DELETE /archive/x", "POST /archive/x?uploads"])
def test_whatever_else_a_source_is_asked_is_told(line: str) -> None:
    touched = Touched()

    touched.note(request(line), answer(403))

    assert touched.wrong() == [f"{line} was asked of the source"]
