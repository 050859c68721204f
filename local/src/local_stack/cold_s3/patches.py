"""Where moto 5.2.5 is taught cold storage. It reaches into moto's S3, so moto is pinned exactly.

S3Response.get_object, copy_object and upload_part_copy are refused while the object is archived, and reads are
counted; _key_response_post hears RestoreObject; FakeKey.response_dict has the headers; serialized has the lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.s3 import models, responses

from local_stack.cold_s3.archive import Archive
from local_stack.cold_s3.freezer import Freezer
from local_stack.cold_s3.listing import add_restore_status, asks_for_restore_status
from local_stack.cold_s3.ranges import Slice
from local_stack.cold_s3.restore_request import MalformedRequest, parse

_XML = {"Content-Type": "application/xml"}
_NOT_ACTIVE = "The source object of the COPY operation is not in the active tier"
_NOT_VALID = "The operation is not valid for the object's storage class"
_Reply = tuple[int, dict[str, Any], str]


def apply(freezer: Freezer) -> None:
    """Patch moto's classes. Once per process."""
    key: Any = models.FakeKey
    key.response_dict = property(_with_restore_headers(freezer, key.response_dict.fget))
    _forget_own_archives(models, responses)
    wanted: Any = responses.S3Response
    wanted.get_object = _refusing_archived(freezer, wanted.get_object)
    wanted.copy_object = _refusing_archived_source(freezer, wanted.copy_object)
    wanted.upload_part_copy = _refusing_archived_source(freezer, wanted.upload_part_copy)
    wanted._key_response_post = _restoring(freezer, wanted._key_response_post)
    wanted.serialized = _listing_restores(freezer, wanted.serialized)


def _forget_own_archives(*modules: Any) -> None:
    """moto's own notion of what is archived would refuse, and allow, the wrong things."""
    for module in modules:
        module.ARCHIVE_STORAGE_CLASSES = []


def _with_restore_headers(freezer: Freezer, original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], Any]:
    def response_dict(self: Any) -> dict[str, Any]:
        return {**original(self), **_restore_headers(freezer.archive_of(self))}

    return response_dict


def _restore_headers(archive: Archive | None) -> dict[str, str]:
    if archive is None:
        return {}
    headers = {"x-amz-archive-status": archive.shelf.value} if archive.shelf.tiering else {}
    if archive.restore is None:
        return headers
    if archive.ongoing:
        headers["x-amz-restore"] = 'ongoing-request="true"'
        if archive.shelf.tiering:
            headers["x-amz-restore-request-date"] = _http_date(archive.restore.requested_at)
    elif archive.restore.expires_at is not None:
        expiry = _http_date(archive.restore.expires_at)
        headers["x-amz-restore"] = f'ongoing-request="false", expiry-date="{expiry}"'
    return headers


def _refusing_archived(freezer: Freezer, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get_object(self: Any) -> Any:
        version = self.querystring.get("versionId", [None])[0]
        name = self.parse_key_name()
        freezer.count(bucket=self.bucket_name, key=name, operation="get")
        key = self.backend.get_object(self.bucket_name, name, version_id=version)
        archive = freezer.archive_of(key) if key is not None else None
        if archive is None or archive.readable:
            return _read(self, key, original)
        more = {"StorageClass": key.storage_class}
        if archive.shelf.tiering:
            more["AccessTier"] = archive.shelf.value
        return _error(403, "InvalidObjectState", _NOT_VALID, more)

    return get_object


def _read(self: Any, key: Any, original: Callable[[Any], Any]) -> Any:
    """moto's own answer, from the slice that was asked for; moto judges every other range."""
    wanted = Slice.of(key, self.headers.get("Range")) if key is not None else None
    if wanted is None:
        return original(self)
    key, not_modified = self._get_key()
    self._get_key = lambda: (wanted, not_modified)
    status, headers, body = original(self)
    return (206, wanted.headers(headers), body) if status == 200 else (status, headers, body)


def _refusing_archived_source(freezer: Freezer, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def copy(self: Any) -> Any:
        source = urlparse(self.headers["x-amz-copy-source"])
        bucket, name = unquote(source.path).lstrip("/").split("/", 1)
        version = parse_qs(source.query).get("versionId", [None])[0]
        key = self.backend.get_object(bucket, name, version_id=version)
        archive = freezer.archive_of(key) if key is not None else None
        if archive is None or archive.readable:
            return original(self)
        return _error(403, "ObjectNotInActiveTierError", _NOT_ACTIVE)

    return copy


def _restoring(freezer: Freezer, original: Callable[..., Any]) -> Callable[..., Any]:
    def post(self: Any, request: Any, body: bytes, bucket: str, query: dict[str, Any], name: str) -> Any:
        if "restore" not in query:
            return original(self, request, body, bucket, query, name)
        freezer.count(bucket=bucket, key=name, operation="restore")
        if freezer.takes_slow_down():
            return _error(503, "SlowDown", "Please reduce your request rate.")
        key = self.backend.get_object(bucket, name, version_id=query.get("versionId", [None])[0])
        if key is None:
            return _error(404, "NoSuchKey", "The specified key does not exist.", {"Key": name})
        return _restore(freezer, key, body)

    return post


def _restore(freezer: Freezer, key: Any, body: bytes) -> _Reply:
    try:
        tier, days = parse(body)
    except MalformedRequest as error:
        return _error(400, "MalformedXML", str(error))
    answer = freezer.restore(key, tier=tier, days=days)
    if answer.refusal is None:
        return answer.status, {}, ""
    return _error(answer.status, answer.refusal.value, answer.message)


def _listing_restores(
    freezer: Freezer, original: Callable[[Any, ActionResult], Any]
) -> Callable[[Any, ActionResult], Any]:
    def serialized(self: Any, result: ActionResult) -> Any:
        if isinstance(result.result, dict) and asks_for_restore_status(self.headers):
            bucket = self.backend.get_bucket(self.bucket_name)
            add_restore_status(result.result, action=self._get_action(), bucket=bucket, freezer=freezer)
        return original(self, result)

    return serialized


def _error(status: int, code: str, message: str, more: dict[str, str] | None = None) -> _Reply:
    fields = {"Code": code, "Message": message, **(more or {})}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
    return status, dict(_XML), f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'


def _http_date(moment: Any) -> str:
    text: str = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return text
