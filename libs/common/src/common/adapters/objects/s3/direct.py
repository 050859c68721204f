"""Objects in S3 without an SDK: described, read, created, begun and sent in parts, committed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from common.adapters.objects.answers import Answer
from common.adapters.objects.reading import Found, Span, Translated, past_end
from common.adapters.objects.s3.errors import error_for
from common.adapters.objects.s3.info import told_by_headers
from common.adapters.objects.s3.signing import Signer
from common.adapters.objects.several import Way
from common.adapters.objects.wire import MOST_SAID, Asking, PastEnd, Told, Wire, quoted
from common.ports import ObjectInfo, PartReceipt
from common.records import record

_UPLOAD_ID = re.compile(rb"<UploadId>\s*([^<]+?)\s*</UploadId>")
_ETAG = re.compile(rb"<ETag>\s*([^<]+?)\s*</ETag>")
_FAILED = re.compile(rb"<Error>.*?<Code>\s*([A-Za-z0-9_.]+)\s*</Code>", re.DOTALL)
_NEW = {"If-None-Match": "*"}
_DIGESTS = {"x-amz-checksum-mode": "ENABLED"}
"""S3 tells digests only where it is asked to."""


@record
class Direct:
    """Thread-safe; never retries."""

    asking: Asking
    path: str
    """Of the bucket at its server, with a slash at the end."""
    signer: Signer

    @property
    def wire(self) -> Wire:
        return self.asking.wire

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        what = f"looking at {key}"
        told = self._ask(what, "HEAD", key, _pinned(version_id), headers=_DIGESTS).headers
        if "etag" not in told or "content-length" not in told:
            raise error_for(Answer(200), what=what)
        return told_by_headers(key, told)

    def get(self, key: str, span: Span, *, if_match: str | None, version_id: str | None) -> Found:
        target, headers = self._signed("GET", key, _pinned(version_id), _matching(if_match))
        (first, end), what = span or (0, None), f"reading {key}"
        try:
            told, size, blocks = self.asking.open(what, target, first=first, end=end, headers=headers)
        except PastEnd:
            return None
        return told_by_headers(key, told, size=size), Translated(blocks, lambda answer: error_for(answer, what=what))

    def fetch(self, key: str, into: memoryview, *, if_match: str | None, version_id: str | None) -> ObjectInfo | None:
        target, headers = self.to_read(key, if_match=if_match, version_id=version_id)
        told, size = self.asking.fetch(f"reading {key}", target, into, headers=headers)
        return None if size is None else read_info(key, told, size)

    def to_read(self, key: str, *, if_match: str | None, version_id: str | None) -> Way:
        """What asks for an object. Raises StoreUnavailable where there are no credentials just now."""
        return self._signed("GET", key, _pinned(version_id), _matching(if_match))

    def read_into(
        self, key: str, into: memoryview, *, first: int, if_match: str | None, version_id: str | None
    ) -> ObjectInfo:
        target, headers = self._signed("GET", key, _pinned(version_id), _matching(if_match))
        try:
            told, size = self.asking.read_into(f"reading {key}", target, into, first=first, headers=headers)
        except PastEnd:
            raise past_end(key=key, first=first, length=len(into)) from None
        return read_info(key, told, size)

    def head_bucket(self, what: str) -> dict[str, str]:
        """The answer's headers, by lower-case name."""
        return self._ask(what, "HEAD", "", {}).headers

    def list(self, what: str, query: Mapping[str, str], headers: Mapping[str, str], *, most: int) -> bytes:
        """A page of the bucket's list, cut behind `most` bytes."""
        return self._ask(what, "GET", "", query, headers=headers, most=most).body

    def create(self, key: str, data: bytes | memoryview, headers: Mapping[str, str]) -> tuple[str, str | None]:
        """Make the object if nothing has the key: its ETag, without quotes, and version."""
        what = f"creating {key}"
        target, signed = self.to_create(key, headers)
        told = self.asking.ask(what, "PUT", target, data, headers=signed, writing=True, twice=False)
        return made(key, told.headers)

    def to_create(self, key: str, headers: Mapping[str, str]) -> Way:
        """What makes an object, if nothing has the key. Raises as `to_read` does."""
        return self._signed("PUT", key, {}, {**headers, **_NEW})

    def begin(self, key: str, headers: Mapping[str, str]) -> str:
        """The id of a new upload."""
        what = f"beginning an upload of {key}"
        said = self._ask(what, "POST", key, {"uploads": ""}, headers=headers, writing=True, twice=False).body
        found = _UPLOAD_ID.search(said)
        if found is None:
            raise error_for(Answer(200), what=what)
        return _unescaped(found[1])

    def put_part(self, key: str, upload_id: str, number: int, data: bytes | memoryview) -> PartReceipt:
        what, query = f"uploading part {number} of {key}", {"partNumber": str(number), "uploadId": upload_id}
        told = self._ask(what, "PUT", key, query, data).headers
        return PartReceipt(number, len(data), told.get("etag", "").strip('"'))

    def commit(self, key: str, upload_id: str, parts: Sequence[PartReceipt]) -> ObjectInfo:
        """Of `parts`, in order of number, if nothing has the key."""
        what, query, data = f"committing {key}", {"uploadId": upload_id}, _list_of(parts)
        answer = self._ask(what, "POST", key, query, data, _NEW, writing=True, twice=False)
        # S3 may say 200 first, to keep the connection, and fail then.
        if failed := _FAILED.search(answer.body):
            raise error_for(Answer(500, failed[1].decode()), what=what, writing=True)
        etag = _ETAG.search(answer.body)
        if etag is None:
            raise error_for(Answer(200), what=what)
        return ObjectInfo(
            key=key,
            size=sum(part.size for part in parts),
            etag=_unescaped(etag[1]).strip('"'),
            version_id=_version(answer.headers),
        )

    def abort(self, key: str, upload_id: str) -> None:
        self._ask(f"aborting the upload of {key}", "DELETE", key, {"uploadId": upload_id})

    def _ask(
        self,
        what: str,
        method: str,
        key: str,
        query: Mapping[str, str],
        data: bytes | memoryview | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        writing: bool = False,
        twice: bool = True,
        most: int = MOST_SAID,
    ) -> Told:
        target, signed = self._signed(method, key, query, headers or {})
        return self.asking.ask(what, method, target, data, headers=signed, writing=writing, twice=twice, most=most)

    def _signed(
        self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[str, dict[str, str]]:
        """The request's target and headers. Raises StoreUnavailable where there are no credentials just now."""
        target = f"{self.path}{quoted(key)}"
        if query:
            target += "?" + "&".join(f"{name}={quote(value, safe='~')}" for name, value in sorted(query.items()))
        return target, self.signer.signed(method, target, host=self.wire.origin.host, headers=headers)


def new_object(
    content_type: str | None, metadata: Mapping[str, str] | None, storage_class: str | None
) -> dict[str, str]:
    """What a new object is like, as headers."""
    headers = {f"x-amz-meta-{name}": value for name, value in metadata.items()} if metadata else {}
    if content_type:
        headers["Content-Type"] = content_type
    if storage_class:
        headers["x-amz-storage-class"] = storage_class
    return headers


def _pinned(version_id: str | None) -> dict[str, str]:
    return {} if version_id is None else {"versionId": version_id}


def _matching(etag: str | None) -> dict[str, str]:
    return {} if etag is None else {"If-Match": f'"{etag}"'}


def _version(told: Mapping[str, str]) -> str | None:
    version = told.get("x-amz-version-id")
    return None if version == "null" else version


def made(key: str, told: Mapping[str, str]) -> tuple[str, str | None]:
    """ETag, without quotes, and version of a new object by the answer's headers."""
    if "etag" not in told:
        raise error_for(Answer(200), what=f"creating {key}", writing=True)
    return told["etag"].strip('"'), _version(told)


def read_info(key: str, told: Mapping[str, str], size: int) -> ObjectInfo:
    """Of an object that was read."""
    return ObjectInfo(
        key=key,
        size=size,
        etag=told.get("etag", "").strip('"'),
        version_id=_version(told),
        content_type=told.get("content-type"),
    )


def _unescaped(text: bytes) -> str:
    # Imported here: it takes long, and only large objects need it.
    from html import unescape

    return unescape(text.decode())


def _list_of(parts: Sequence[PartReceipt]) -> bytes:
    # Imported here: as above.
    from html import escape

    listed = "".join(
        f"<Part><PartNumber>{part.number}</PartNumber><ETag>&quot;{escape(part.tag)}&quot;</ETag></Part>"
        for part in parts
    )
    space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    return f"<CompleteMultipartUpload {space}>{listed}</CompleteMultipartUpload>".encode()
