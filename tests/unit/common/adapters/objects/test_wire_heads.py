"""Heads of answers: what can be read in one way only is read, and nothing else."""

from __future__ import annotations

import pytest

from common.adapters.objects.wire.heads import Head, Nonsense, read_head, request_head

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            OK + b'Content-Length: 5\r\nETag:\t "A b" ',
            Head(200, {"content-length": "5", "etag": '"A b"'}, True, 5, False),
        ),
        (OK + b"ETag: x\r\netag: x", Head(200, {"etag": "x"}, False, None, False)),
        (OK + b"Via: a\r\nvia: b\r\nVIA: c", Head(200, {"via": "a, b, c"}, False, None, False)),
        (OK + b"X: a:b: c\r\nY:", Head(200, {"x": "a:b: c", "y": ""}, False, None, False)),
        (b"HTTP/1.1 200", Head(200, {}, False, None, False)),
        (b"HTTP/1.0 200 \r\nContent-Length: 0", Head(200, {"content-length": "0"}, False, 0, False)),
        (
            b"HTTP/1.0 200 X\r\nConnection: Keep-Alive\r\nContent-Length: 1",
            Head(200, {"connection": "Keep-Alive", "content-length": "1"}, True, 1, False),
        ),
        (OK + b"Transfer-Encoding: Chunked", Head(200, {"transfer-encoding": "Chunked"}, True, None, True)),
        (b"HTTP/1.1 204 X\r\nContent-Length: 9", Head(204, {"content-length": "9"}, True, 0, False)),
    ],
)
def test_a_head_is_read(data: bytes, expected: Head) -> None:
    assert read_head(data, method="GET") == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/2 200 OK",
        b"HTTP/1.1 600 X",
        b"HTTP/1.1 099 X",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1 200OK",
        b"HTTP/1.1\t200 OK",
        "HTTP/1.1 20\u00b2 OK".encode("latin-1"),
        OK + b"ETag: a\nContent-Length: 1",
        OK + b"ETag: a\rContent-Length: 1",
        b"HTTP/1.1 200 O\nK",
        b"HTTP/1.1 200 O\0K",
        OK + b"ETag: a\0",
        OK + b"ETag : a",
        OK + b" folded: a",
        OK + b"A: b\r\n c",
        OK + b"no header",
        OK + b": a",
        OK + b"\xe9tag: a",
        OK + b"ETag: a\r\nETag: b",
        OK + b"Content-Length: 1\r\nContent-Length: 2",
        OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked",
        OK + b"Content-Length: +1",
        OK + b"Content-Length: 1, 1",
        OK + "Content-Length: \u00b2".encode("latin-1"),
        OK + b"Content-Length: 1234567890123456789",
        OK + b"Transfer-Encoding: gzip, chunked",
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(data: bytes) -> None:
    with pytest.raises(Nonsense):
        read_head(data, method="GET")


def test_names_that_were_refused_once_are_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(Nonsense, match="no name of a header"):
            read_head(OK + b"Strange Name: a", method="GET")


def test_more_names_than_are_remembered_are_read() -> None:
    lines = b"\r\n".join(b"X-%d: %d" % (number, number) for number in range(600))

    assert read_head(OK + lines, method="GET").headers["x-599"] == "599"


def test_a_request_is_its_lines_and_an_empty_one() -> None:
    told = request_head("PUT", "/b/k?a=1", {"If-None-Match": "*"}, always="Host: h\r\n")

    assert told == b"PUT /b/k?a=1 HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n"


@pytest.mark.parametrize("target", ["", "/a b", "/a\tb", "/a\r\nX: y", "/a\x7f", "/\u00e9"])
def test_a_target_that_holds_more_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="is no target of a request"):
        request_head("GET", target, {"Range": "bytes=0-1"})


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\0", "a\x7f", "\u00e9", "a\tb"])
def test_a_header_that_holds_more_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="a header of x-amz-meta-a holds what headers cannot"):
        request_head("GET", "/k", {"x-amz-meta-a": value})
