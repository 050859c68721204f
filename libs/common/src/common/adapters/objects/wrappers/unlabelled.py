"""Keeps metadata from being written, where a location shall hold the bytes and nothing beside them."""

from __future__ import annotations

from common.adapters.objects.wrappers.forwarding import ForwardingStore
from common.ports import ObjectInfo, Upload


class UnlabelledStore(ForwardingStore):
    """ObjectStore whose new objects have no metadata; their content type stays."""

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,  # noqa: ARG002
    ) -> ObjectInfo:
        return self.store.create(key=key, data=data, content_type=content_type)

    def begin_upload(
        self,
        *,
        key: str,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,  # noqa: ARG002
    ) -> Upload:
        return self.store.begin_upload(key=key, content_type=content_type)

    def resume_upload(
        self,
        *,
        key: str,
        upload_id: str,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,  # noqa: ARG002
    ) -> Upload:
        return self.store.resume_upload(key=key, upload_id=upload_id, content_type=content_type)
