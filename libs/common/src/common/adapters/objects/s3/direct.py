"""Large objects in S3 without an SDK: begun, read and sent in parts, committed, described."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import quote

from common.adapters.objects.obstore_answers import Answer
from common.adapters.objects.reading import past_end
from common.adapters.objects.s3.errors import error_for
from common.adapters.objects.s3.info import told_by_headers
from common.adapters.objects.s3.signing import Signer
from common.adapters.objects.wire import Refusal, Wire
from common.ports import ObjectInfo, PartReceipt

_UPLOAD_ID = re.compile(rb"<UploadId>\s*([^<]+?)\s*</UploadId>")
_ETAG = re.compile(rb"<ETag>\s*([^<]+?)\s*</ETag>")
_FAILED = re.compile(rb"<Error>.*?<Code>\s*([A-Za-z0-9_.]+)\s*</Code>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Direct:
    """Thread-safe; never retries."""

    bucket: str
    """Its address, without a slash at the end."""
    signer: Signer
    wire: Wire

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        what = f"looking at {key}"
        try:
            told = self.wire.ask("HEAD", self._signed("HEAD", key, _pinned(version_id))).headers
        except Refusal as refusal:
            raise error_for(refusal.answer, what=what) from None
        if "ETag" not in told or "Content-Length" not in told:
            raise error_for(Answer(200), what=what)
        return told_by_headers(key, dict(told.items()))

    def read_into(
        self, key: str, into: memoryview, *, first: int, if_match: str | None, version_id: str | None
    ) -> ObjectInfo:
        headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        url = self._signed("GET", key, _pinned(version_id))
        try:
            told, size = self.wire.read_into(url, into, first=first, headers=headers)
        except Refusal as refusal:
            if refusal.answer.status == 416:
                raise past_end(key=key, first=first, length=len(into)) from None
            raise error_for(refusal.answer, what=f"reading {key}") from None
        version = told.get("x-amz-version-id")
        return ObjectInfo(
            key=key,
            size=size,
            etag=told.get("ETag", "").strip('"'),
            version_id=None if version == "null" else version,
            content_type=told.get("Content-Type"),
        )

    def begin(self, key: str, headers: Mapping[str, str]) -> str:
        """The id of a new upload."""
        what = f"beginning an upload of {key}"
        url = self._signed("POST", key, {"uploads": ""}, headers)
        try:
            said = self.wire.ask("POST", url, headers=headers).body
        except Refusal as refusal:
            raise error_for(refusal.answer, what=what, writing=True) from None
        found = _UPLOAD_ID.search(said)
        if found is None:
            raise error_for(Answer(200), what=what)
        return unescape(found[1].decode())

    def put_part(self, key: str, upload_id: str, number: int, data: bytes | memoryview) -> PartReceipt:
        url = self._signed("PUT", key, {"uploadId": upload_id, "partNumber": str(number)})
        try:
            told = self.wire.ask("PUT", url, data).headers
        except Refusal as refusal:
            raise error_for(refusal.answer, what=f"uploading part {number} of {key}") from None
        return PartReceipt(number, len(data), told.get("ETag", "").strip('"'))

    def commit(self, key: str, upload_id: str, parts: Sequence[PartReceipt]) -> ObjectInfo:
        """Of `parts`, in order of number, if nothing has the key."""
        what, headers = f"committing {key}", {"If-None-Match": "*"}
        url = self._signed("POST", key, {"uploadId": upload_id}, headers)
        try:
            answer = self.wire.ask("POST", url, _list_of(parts), headers=headers)
        except Refusal as refusal:
            raise error_for(refusal.answer, what=what, writing=True) from None
        # S3 may say 200 first, to keep the connection, and fail then.
        if failed := _FAILED.search(answer.body):
            raise error_for(Answer(500, failed[1].decode()), what=what, writing=True)
        etag = _ETAG.search(answer.body)
        if etag is None:
            raise error_for(Answer(200), what=what)
        version = answer.headers.get("x-amz-version-id")
        return ObjectInfo(
            key=key,
            size=sum(part.size for part in parts),
            etag=unescape(etag[1].decode()).strip('"'),
            version_id=None if version == "null" else version,
        )

    def abort(self, key: str, upload_id: str) -> None:
        try:
            self.wire.ask("DELETE", self._signed("DELETE", key, {"uploadId": upload_id}))
        except Refusal as refusal:
            raise error_for(refusal.answer, what=f"aborting the upload of {key}") from None

    def _signed(self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None) -> str:
        """Raises StoreUnavailable where there are no credentials just now."""
        return self.signer.signed(method, f"{self.bucket}/{quote(key, safe='/')}", query=query, headers=headers or {})


def _pinned(version_id: str | None) -> dict[str, str]:
    return {} if version_id is None else {"versionId": version_id}


def _list_of(parts: Sequence[PartReceipt]) -> bytes:
    listed = "".join(
        f"<Part><PartNumber>{part.number}</PartNumber><ETag>&quot;{escape(part.tag)}&quot;</ETag></Part>"
        for part in parts
    )
    space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    return f"<CompleteMultipartUpload {space}>{listed}</CompleteMultipartUpload>".encode()
