"""Every fuzz target: a function that takes bytes and raises where a promise does not hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fuzz import bagit_targets, store_targets, wire_targets

Target = Callable[[bytes], None]

_ALL: tuple[Target, ...] = (
    bagit_targets.manifest,
    bagit_targets.fetch,
    bagit_targets.bag_info,
    bagit_targets.bagit_txt,
    bagit_targets.tag_text,
    bagit_targets.bag,
    store_targets.restore_header,
    store_targets.store_answer,
    store_targets.store_list,
    store_targets.locations,
    store_targets.bandwidth,
    store_targets.bag_path,
    store_targets.fetch_url,
    store_targets.mapped_name,
    store_targets.file_list,
    store_targets.file_record,
    store_targets.digest,
    wire_targets.message,
    wire_targets.envelope,
    wire_targets.ingest_request,
    wire_targets.campaign_list,
    wire_targets.campaign_request,
)

TARGETS: dict[str, Target] = {target.__name__: target for target in _ALL}
"""By name. Each has its corpus in a directory of that name."""

CORPUS = Path(__file__).parent / "corpus"


def corpus(name: str) -> list[Path]:
    """The kept inputs of a target."""
    return sorted(path for path in (CORPUS / name).iterdir() if path.is_file())
