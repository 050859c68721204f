"""Reading and creating with obstore: what S3 and Azure have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import obstore
from obstore.exceptions import BaseError as ObstoreError
from obstore.store import AzureStore, S3Store

from common.adapters.objects.obstore_answers import Answer, answer_of
from common.adapters.objects.reading import BLOCK, Found, Span
from common.errors import BackfillError, TruncatedBody
from common.ports import Fetched, ObjectInfo


class ErrorFor(Protocol):
    """A provider's table: what an answer is called."""

    def __call__(self, answer: Answer, *, what: str, writing: bool = False) -> BackfillError: ...


@dataclass(frozen=True, slots=True)
class ObstoreCalls:
    """The calls of one bucket or container, which raise our errors. For keys that obstore sends as they are."""

    store: S3Store | AzureStore
    error_for: ErrorFor

    def get(self, key: str, span: Span, *, if_match: str | None = None, version_id: str | None = None) -> Found:
        options: dict[str, Any] = _pins(if_match, version_id)
        if span is not None:
            options["range"] = {"offset": span[0]} if span[1] is None else (span[0], span[1])
        try:
            result = obstore.get(self.store, key, options=options)  # type: ignore[arg-type]
        except (ObstoreError, FileNotFoundError) as problem:
            answer = answer_of(problem)
            if answer.status == 416:
                return None
            raise self.error_for(answer, what=f"reading {key}") from None
        return _info(key, result, version_id), self._blocks(result.stream(min_chunk_size=BLOCK), key)

    def fetch(
        self, key: str, *, most: int, if_match: str | None = None, version_id: str | None = None
    ) -> Fetched | None:
        try:
            result = obstore.get(self.store, key, options=_pins(if_match, version_id))  # type: ignore[arg-type]
            info = _info(key, result, version_id)
            if info.size > most:
                return None
            data = memoryview(result.bytes())
        except (ObstoreError, FileNotFoundError) as problem:
            raise self.error_for(answer_of(problem), what=f"reading {key}") from None
        if len(data) != info.size:
            raise TruncatedBody(f"{key}: {info.size} bytes were asked for, {len(data)} arrived")
        return Fetched(info, data)

    def put(self, key: str, data: bytes | memoryview, attributes: dict[str, str]) -> tuple[str, str | None]:
        """Create the object if nothing has the key: its ETag, without quotes, and version."""
        with self.translated(f"creating {key}", writing=True):
            answer = obstore.put(self.store, key, data, mode="create", use_multipart=False, attributes=attributes)
        return (answer["e_tag"] or "").strip('"'), answer["version"]

    @contextmanager
    def translated(self, what: str, *, writing: bool = False) -> Iterator[None]:
        """No exception of obstore gets out of this."""
        try:
            yield
        except (ObstoreError, FileNotFoundError) as problem:
            raise self.error_for(answer_of(problem), what=what, writing=writing) from None

    def _blocks(self, stream: Iterable[Any], key: str) -> Iterator[memoryview]:
        """Only what the store raises is translated, not what the reader of a block does."""
        source = iter(stream)
        while True:
            with self.translated(f"reading {key}"):
                block = next(source, None)
            if block is None:
                return
            yield memoryview(block)


def _pins(if_match: str | None, version_id: str | None) -> dict[str, Any]:
    pins: dict[str, Any] = {}
    if if_match is not None:
        pins["if_match"] = f'"{if_match}"'
    if version_id is not None:
        pins["version"] = version_id
    return pins


def _info(key: str, result: obstore.GetResult, version_id: str | None) -> ObjectInfo:
    meta = result.meta
    return ObjectInfo(
        key=key,
        size=meta["size"],
        etag=(meta["e_tag"] or "").strip('"'),
        version_id=meta["version"] or version_id,
        last_modified=meta["last_modified"],
        content_type=result.attributes.get("Content-Type"),
    )
