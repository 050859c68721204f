"""An S3 endpoint with so many small bags, made up as they are asked for: `python -m benchmarks.importing.made_up`.

It keeps nothing, checks no signature and costs next to nothing, so that time is the register's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

SPACE = "digitised"
_PAGE = 1000
_ANSWER = (
    'HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nETag: "{etag}"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT'
    "\r\nContent-Type: {kind}\r\nx-amz-request-id: 1\r\n\r\n"
)


class Bags:
    """`number` bags of two small files and four tag files."""

    def __init__(self, number: int) -> None:
        self._number = number
        payload = {"data/a.xml": b"<mets/>" * 9, "data/b.tif": b"x" * 100}
        self._payload = {path: len(body) for path, body in payload.items()}
        lines = "".join(f"{hashlib.sha256(body).hexdigest()}  {path}\n" for path, body in payload.items())
        self._fixed = {
            "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
            "manifest-sha256.txt": lines.encode(),
        }
        self._oxum = f"{sum(self._payload.values())}.{len(payload)}"
        self.paths = sorted([*self._payload, *self._fixed, "bag-info.txt", "tagmanifest-sha256.txt"])

    def files(self, number: int) -> dict[str, bytes]:
        """The tag files of a bag."""
        info = f"External-Identifier: b{number:07}\nPayload-Oxum: {self._oxum}\nBagging-Date: 2019-08-15\n".encode()
        tags = {**self._fixed, "bag-info.txt": info}
        listed = "".join(f"{hashlib.sha256(body).hexdigest()}  {path}\n" for path, body in sorted(tags.items()))
        return {**tags, "tagmanifest-sha256.txt": listed.encode()}

    def read(self, key: str) -> bytes | None:
        root, _, path = key.partition("/v1/")
        number = root.removeprefix(f"{SPACE}/b")
        return _files(self, int(number)).get(path) if number.isdecimal() else None

    def page(self, prefix: str, after: str) -> tuple[list[tuple[str, int]], bool]:
        """A page of keys with sizes behind `after`, and whether there are more."""
        found: list[tuple[str, int]] = []
        for number in range(self._first(max(prefix, after)), self._number):
            root = f"{SPACE}/b{number:07}/v1/"
            if root > prefix and not root.startswith(prefix):
                break
            sizes = {**self._payload, **{path: len(body) for path, body in _files(self, number).items()}}
            found += [
                (root + path, sizes[path]) for path in self.paths if after < root + path and prefix <= root + path
            ]
            if len(found) > _PAGE:
                return found[:_PAGE], True
        return found, False

    def _first(self, key: str) -> int:
        """The first bag that may have keys from `key` on."""
        low, high = 0, self._number
        while low < high:
            middle = (low + high) // 2
            if f"{SPACE}/b{middle:07}/v1/{chr(0x10FFFF)}" < key:
                low = middle + 1
            else:
                high = middle
        return low


@lru_cache(maxsize=4096)
def _files(bags: Bags, number: int) -> dict[str, bytes]:
    return bags.files(number)


class Connection(asyncio.Protocol):
    """HTTP/1.1, one request after the other."""

    def __init__(self, bags: Bags) -> None:
        self._bags = bags
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            method, target, _ = self._buffer[: self._buffer.index(b"\r\n")].decode("latin-1").split(" ", 2)
            self._buffer = self._buffer[end + 4 :]
            self._transport.write(self._answer(method, target))

    def _answer(self, method: str, target: str) -> bytes:
        address = urlsplit(target)
        key = unquote(address.path).partition("/")[2].partition("/")[2]
        if key:
            body = self._bags.read(key)
            return (
                _written(method, 404, b"", "")
                if body is None
                else _written(method, 200, body, "application/octet-stream")
            )
        asked = {name: values[-1] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        if "location" in asked:
            return _written(method, 200, b"<LocationConstraint/>", "application/xml")
        prefix = asked.get("prefix", "")
        page, more = self._bags.page(prefix, asked.get("continuation-token") or asked.get("start-after", ""))
        return _written(method, 200, _listed(prefix, page, more=more), "application/xml")


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _written(method: str, status: int, body: bytes, kind: str) -> bytes:
    head = _ANSWER.format(status=status, length=len(body), etag=_etag(body), kind=kind).encode()
    return head if method == "HEAD" else head + body


def _listed(prefix: str, page: list[tuple[str, int]], *, more: bool) -> bytes:
    token = f"<NextContinuationToken>{page[-1][0]}</NextContinuationToken>" if more else ""
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{_key_etag(key)}"
        f"&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key, size in page
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>made-up</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>{_PAGE}</MaxKeys>"
        f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{token}{contents}</ListBucketResult>"
    ).encode()


_BAGS: list[Bags] = []


def _key_etag(key: str) -> str:
    body = _BAGS[0].read(key)
    return _etag(body) if body is not None else "0" * 32


async def serve(port: int, number: int) -> None:
    """Until it is killed."""
    _BAGS.append(Bags(number))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(_BAGS[0]), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
