"""Opening a blob: by obstore, or by the SDK where obstore would send another name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import azure.core.exceptions as azure
import obstore
from azure.core import MatchConditions

from common.adapters.objects.azure.client import Connection
from common.adapters.objects.azure.errors import error_for, sdk_answer, translated, translated_steps
from common.adapters.objects.azure.info import described
from common.adapters.objects.obstore_answers import Answer, answer_of
from common.adapters.objects.reading import BLOCK, Found, Span
from common.ports import ObjectInfo


def by_obstore(connection: Connection, key: str, span: Span, if_match: str | None) -> Found:
    options: dict[str, Any] = {}
    if span is not None:
        options["range"] = {"offset": span[0]} if span[1] is None else (span[0], span[1])
    if if_match is not None:
        options["if_match"] = f'"{if_match}"'
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
        version_id=meta["version"],
        last_modified=meta["last_modified"],
        content_type=attributes.get("Content-Type"),
    )
    return info, _views(result.stream(min_chunk_size=BLOCK), key)


def by_sdk(connection: Connection, key: str, span: Span, if_match: str | None, version: str | None = None) -> Found:
    options: dict[str, Any] = {}
    if span is not None:
        options["offset"] = span[0]
        options["length"] = None if span[1] is None else span[1] - span[0]
    if if_match is not None:
        options |= {"etag": f'"{if_match}"', "match_condition": MatchConditions.IfNotModified}
    try:
        blob = connection.control.get_blob_client(key, version_id=version)
        download = blob.download_blob(max_concurrency=1, **options)
    except azure.AzureError as problem:
        _unless_past_end(sdk_answer(problem), key)
        return None
    properties = download.properties
    whole = (properties.content_range or "/").rpartition("/")[2]
    if whole:
        properties.size = int(whole)
    return described(properties, key=key), _views(download.chunks(), key)


def head(connection: Connection, key: str, version: str | None) -> ObjectInfo:
    with translated(f"looking at {key}"):
        blob = connection.control.get_blob_client(key, version_id=version)
        return described(blob.get_blob_properties(), key=key)


def _unless_past_end(answer: Answer, key: str) -> None:
    if answer.status != 416:
        raise error_for(answer, what=f"reading {key}")


def _views(blocks: Iterable[Any], key: str) -> Iterator[memoryview]:
    for block in translated_steps(blocks, f"reading {key}"):
        yield memoryview(block)
