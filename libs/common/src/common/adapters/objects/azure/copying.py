"""Azure fetches blocks from a URL by itself (Put Block From URL)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import azure.core.exceptions as azure

from common.adapters.objects.azure import blocks
from common.adapters.objects.azure.control import Control
from common.adapters.objects.azure.errors import error_for
from common.adapters.objects.azure.sdk_errors import sdk_answer
from common.errors import CannotCopy, RefusedByStore
from common.ports import PartReceipt

PART = 64 << 20
"""Bytes; the service took 100 MiB at most for long, and 4,000 MiB since."""
LONGEST_URL = 2048
"""Characters of a source URL that Azure takes: a session token may make it longer."""
_CANNOT = frozenset({"CannotVerifyCopySource", "APINotImplemented", "InvalidHeaderValue", "FeatureVersionMismatch"})


@dataclass(frozen=True, slots=True)
class AzurePartCopier:
    """PartCopier from a store that can sign URLs."""

    control: Control
    sign: Callable[[str, str | None], str]
    """A URL for (key, version id), good for the time of one block."""

    @property
    def part_size(self) -> int:
        return PART

    def copy_part(
        self,
        *,
        key: str,
        upload_id: str,
        number: int,
        source_key: str,
        first: int,
        length: int,
        if_match: str,  # noqa: ARG002 - a signed URL cannot carry it: the caller looks at the source again
        version_id: str | None = None,
    ) -> PartReceipt:
        url = self.sign(source_key, version_id)
        if len(url) > LONGEST_URL:
            raise CannotCopy(f"{source_key}: its signed URL has {len(url):,} characters, Azure takes {LONGEST_URL:,}")
        block_id = blocks.name(upload_id, number)
        blob = self.control.client.get_blob_client(key)
        try:
            blob.stage_block_from_url(block_id, url, source_offset=first, source_length=length)
        except azure.AzureError as problem:
            raise _error(problem, f"having part {number} of {key} copied") from None
        return PartReceipt(number, length, block_id)


def _error(problem: azure.AzureError, what: str) -> Exception:
    answer = sdk_answer(problem)
    error = error_for(answer, what=what)
    return CannotCopy(str(error)) if answer.code in _CANNOT or isinstance(error, RefusedByStore) else error
