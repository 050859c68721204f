from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from common.domain.bagit.encodings import UTF_8, TagEncoding, tag_encoding
from common.domain.bagit.lines import TextLimits, read_lines
from common.domain.problem import Problem

LIMITS = TextLimits(max_line=64 * 1024, max_file=2**30)


def read(*blocks: bytes | memoryview, encoding: TagEncoding = UTF_8, limits: TextLimits = LIMITS) -> object:
    """Lines, then code and line number of each problem."""
    problems: list[Problem] = []
    lines = list(read_lines(blocks, name="x.txt", encoding=encoding, limits=limits, report=problems.append))
    return [text for _, text in lines], [(problem.code, problem.line) for problem in problems]


def encoding(name: str) -> TagEncoding:
    found = tag_encoding(name)
    assert found
    return found


def test_lf_cr_and_crlf_end_lines_and_the_last_may_lack_one() -> None:
    assert read(b"a\nb\rc\r\nd") == (["a", "b", "c", "d"], [])


def test_a_crlf_that_two_blocks_share_ends_one_line() -> None:
    assert read(b"line\r", b"\nb\r") == (["line", "b"], [])


def test_an_empty_file_has_no_lines() -> None:
    assert read() == read(b"") == ([], [])


def test_blank_lines_are_lines() -> None:
    assert read(b"\n\r\n\r") == (["", "", ""], [])


def test_views_of_buffers_are_blocks_too() -> None:
    assert read(memoryview(b"\xc3"), memoryview(b"\xa4\n")) == (["ä"], [])


def test_bad_bytes_end_the_lines_with_the_number_of_their_line() -> None:
    assert read(b"a\nb\nc\xff\nd\n") == (["a", "b"], [("bag_text_undecodable", 3)])


def test_a_character_that_the_end_of_the_file_cuts_is_bad() -> None:
    assert read(b"a\n\xc3") == (["a"], [("bag_text_undecodable", 2)])


def test_a_line_of_exactly_the_limit_passes_and_one_more_does_not() -> None:
    limits = TextLimits(max_line=3, max_file=100)

    assert read(b"abc\r\nabcd\nx", limits=limits) == (["abc"], [("bag_line_too_long", 2)])


def test_a_file_over_its_limit_is_refused() -> None:
    assert read(b"ab\ncd\n", limits=TextLimits(max_line=9, max_file=5)) == (["ab"], [("bag_file_too_large", None)])


@pytest.mark.parametrize("name", ["UTF-16", "UTF-32", "utf-16"])
@pytest.mark.parametrize("order", ["le", "be"])
def test_a_mark_tells_the_byte_order(name: str, order: str) -> None:
    data = "\ufeffä\n".encode(f"{name}-{order}")

    assert read(data, encoding=encoding(name)) == (["ä"], [])


def test_utf_16_without_a_mark_is_big_endian() -> None:
    assert read("ä\n".encode("utf-16-be"), encoding=encoding("UTF-16")) == (["ä"], [])


@pytest.mark.parametrize(("name", "codec"), [("UTF-8", "utf-8"), ("UTF-16LE", "utf-16-le"), ("UTF-16BE", "utf-16-be")])
def test_a_mark_where_the_encoding_leaves_no_question_is_refused(name: str, codec: str) -> None:
    assert read("\ufeffa\n".encode(codec), encoding=encoding(name)) == ([], [("bag_byte_order_mark", 1)])


@pytest.mark.parametrize("name", ["raw_unicode_escape", "idna", "rot13", "base64", "utf-7", "utf_8_sig", "mbcs", ""])
def test_codecs_that_are_not_on_the_list_are_unknown(name: str) -> None:
    assert tag_encoding(name) is None


def test_a_line_of_100_megabytes_fails_at_once_and_in_little_memory() -> None:
    given = 0

    def blocks() -> Iterator[bytes]:
        nonlocal given
        for _ in range(100):
            given += 1
            yield b"x" * 2**20

    problems: list[Problem] = []
    tracemalloc.start()
    lines = list(read_lines(blocks(), name="x", encoding=UTF_8, limits=LIMITS, report=problems.append))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (lines, [problem.code for problem in problems], given) == ([], ["bag_line_too_long"], 1)
    assert peak < 4 * 2**20
