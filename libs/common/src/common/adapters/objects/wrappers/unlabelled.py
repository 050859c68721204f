"""Keeps metadata from being written, where a location shall hold the bytes and nothing beside them."""

from __future__ import annotations

from collections.abc import Sequence

from common.adapters.objects.wrappers.forwarding import ForwardingStore
from common.ports import AllCreated, AllFetched, GoingOn, New, ObjectInfo, Upload, Wanted, always


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

    @property
    def takes_several(self) -> bool:
        return self.store.takes_several

    def fetch_several(self, wanted: Sequence[Wanted], *, at_once: int, going_on: GoingOn = always) -> AllFetched:
        return self.store.fetch_several(wanted, at_once=at_once, going_on=going_on)

    def create_several(self, new: Sequence[New], *, at_once: int) -> AllCreated:
        bare = [New(one.key, one.data, one.content_type) for one in new]
        return self.store.create_several(bare, at_once=at_once)

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
