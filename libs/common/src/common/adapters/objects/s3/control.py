"""Opening an object: by obstore, or by boto3 where obstore would send another key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import botocore.exceptions as boto
import obstore

from common.adapters.objects.obstore_answers import Answer, answer_of
from common.adapters.objects.reading import BLOCK, Found, Span
from common.adapters.objects.s3.client import Connection
from common.adapters.objects.s3.errors import boto_answer, error_for, translated, translated_pages
from common.adapters.objects.s3.info import described
from common.ports import ObjectInfo


def by_obstore(connection: Connection, key: str, span: Span, if_match: str | None, version: str | None) -> Found:
    options: dict[str, Any] = {}
    if span is not None:
        options["range"] = {"offset": span[0]} if span[1] is None else (span[0], span[1])
    if if_match is not None:
        options["if_match"] = f'"{if_match}"'
    if version is not None:
        options["version"] = version
    try:
        result = obstore.get(connection.bytes, key, options=options)  # type: ignore[arg-type]
    except (obstore.exceptions.BaseError, FileNotFoundError) as problem:
        _unless_past_end(answer_of(problem), key)
        return None
    meta, attributes = result.meta, result.attributes
    info = ObjectInfo(
        key=key,
        size=meta["size"],
        etag=(meta["e_tag"] or "").strip('"'),
        version_id=meta["version"] or version,
        last_modified=meta["last_modified"],
        content_type=attributes.get("Content-Type"),
    )
    return info, _translated(result.stream(min_chunk_size=BLOCK), key)


def by_boto(connection: Connection, key: str, span: Span, if_match: str | None, version: str | None) -> Found:
    options: dict[str, Any] = {}
    if span is not None:
        options["Range"] = f"bytes={span[0]}-" + ("" if span[1] is None else str(span[1] - 1))
    if if_match is not None:
        options["IfMatch"] = f'"{if_match}"'
    if version is not None:
        options["VersionId"] = version
    try:
        answer = connection.control.get_object(Bucket=connection.bucket, Key=key, **options)
    except (boto.BotoCoreError, boto.ClientError) as problem:
        _unless_past_end(boto_answer(problem), key)
        return None
    whole = answer.get("ContentRange", "/").rpartition("/")[2]
    info = described(key, answer, size=int(whole) if whole else None)
    return info, _BotoBlocks(answer["Body"], key)


def head(connection: Connection, key: str, version: str | None) -> ObjectInfo:
    pinned = {} if version is None else {"VersionId": version}
    with translated(f"looking at {key}"):
        return described(key, connection.control.head_object(Bucket=connection.bucket, Key=key, **pinned))


class _BotoBlocks:
    """boto3's body as blocks; given back to the pool when it is closed."""

    def __init__(self, body: Any, key: str) -> None:
        self._body, self._key = body, key

    def __iter__(self) -> Iterator[memoryview]:
        return _translated(self._body.iter_chunks(BLOCK), self._key)

    def close(self) -> None:
        self._body.close()


def _unless_past_end(answer: Answer, key: str) -> None:
    if answer.status != 416:
        raise error_for(answer, what=f"reading {key}")


def _translated(blocks: Iterable[Any], key: str) -> Iterator[memoryview]:
    for block in translated_pages(blocks, f"reading {key}"):
        yield memoryview(block)
