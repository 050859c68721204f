"""GET /bags/{space}/{identifier}: one bag version's storage manifest, whole, or a page of its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from bag_register.documents import entity_tag, storage_manifest
from bag_register.file_pages import FilePages
from bag_register.surroundings import Surroundings
from common.ledger.bags import BagRecord

FILES_OF_A_PAGE = 1000
MOST_FILES = 10_000
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """Which of a bag version's files are wanted: payload first, then tag files."""

    after: int
    """Files before it."""
    limit: int


def answered(
    around: Surroundings, pages: FilePages, request: Request, record: BagRecord, page: Page | None, *, redirect: bool
) -> Response:
    """The document; 304 where the client has it, without a look at the list of files; 307 to a copy of a large one."""
    headers = {"ETag": entity_tag(record), "Cache-Control": "no-cache"}
    if headers["ETag"] in _tags(request):
        return Response(status_code=304, headers=headers)
    if page is not None:
        return _page(pages, record, page, headers)
    if redirect and around.copies and record.file_count > around.copies.above:
        address = around.copies.address(tag=headers["ETag"], blocks=lambda: _blocks(around, record))
        # The address works for an hour: nobody keeps it longer than the next request.
        return RedirectResponse(address, status_code=307, headers={"Cache-Control": "no-store"})
    blocks = _blocks(around, record)
    # The first block is made before the status is sent: a record store that is down must not look like a short bag.
    first = next(blocks)
    return StreamingResponse(chain([first], blocks), media_type=_JSON, headers=headers)


def _tags(request: Request) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]


def _blocks(around: Surroundings, record: BagRecord) -> Iterator[bytes]:
    with around.lists.read(key=record.files_key, sha256=record.files_sha256) as files:
        yield from storage_manifest(record, files)


def _page(pages: FilePages, record: BagRecord, page: Page, headers: dict[str, str]) -> Response:
    key, sha256 = record.files_key, record.files_sha256
    files = pages.page(key=key, sha256=sha256, after=page.after, limit=page.limit)
    following: dict[str, Any] = {}
    if page.after + len(files) < record.file_count and files:
        asked = {"filesAfter": page.after + len(files), "filesLimit": page.limit, "version": str(record.bag.version)}
        following = {"next": asked}
        # Of the version that was asked for first: a newer one may come meanwhile.
        headers |= {"Link": f'<?{urlencode(asked)}>; rel="next"'}
    more = {"fileCount": record.file_count, **following}
    return Response(b"".join(storage_manifest(record, files, more)), media_type=_JSON, headers=headers)
