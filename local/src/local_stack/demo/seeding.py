"""Putting bags into the source store, frozen as their recipes say."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local_stack.demo.making import MadeObject, Recipe, make
from local_stack.servers.cold_s3 import ColdControl


def seed(recipe: Recipe, *, s3: Any, bucket: str, control: ColdControl) -> tuple[int, int]:
    """Put one bag's objects; returns how many, and their bytes. `s3` is a boto3 client."""
    made = make(recipe)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: _put(s3, bucket, item), made))
    if recipe.archive_tier:
        _sink(control, bucket, (o for o in made if o.storage_class == "INTELLIGENT_TIERING"), recipe.archive_tier)
    return len(made), sum(len(item.data) for item in made)


def _put(s3: Any, bucket: str, item: MadeObject) -> None:
    s3.put_object(Bucket=bucket, Key=item.key, Body=item.data, StorageClass=item.storage_class)


def _sink(control: ColdControl, bucket: str, objects: Iterable[MadeObject], tier: str) -> None:
    for item in objects:
        control.put_in_archive_tier(bucket=bucket, key=item.key, tier=tier)


def freeze_tag_files(recipe: Recipe, *, s3: Any, bucket: str) -> int:
    """What a lifecycle rule does: move a registered bag's tag files to another class; returns how many."""
    tags = [item for item in make(recipe) if item.tag]
    for item in tags:
        source = {"Bucket": bucket, "Key": item.key}
        s3.copy_object(Bucket=bucket, Key=item.key, CopySource=source, StorageClass=recipe.frozen_tags)
    return len(tags)
