"""What the register says of imports before they are begun, and of what their thaws cost."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from backfill_client.thaws import Billed, Cost, Wire


class LookedAt(Wire):
    bags: int
    complete: bool
    """These are all bags there are."""


class Lying(Wire):
    objects: int
    bytes: int


class FrozenTagFiles(Wire):
    """What of the tag files would be thawed, by a look at the bags that come first."""

    looked_at: LookedAt
    estimated: bool
    objects: int
    bytes: int
    classes: dict[str, Lying]
    said: str


class ImportPreview(Wire):
    """What an import would come to; nothing was begun."""

    would: str
    """create or join."""
    running: str | None = Field(default=None, alias="import")
    """The import that does the very same already."""
    tag_files: FrozenTagFiles | None = None
    cost: Cost | None = None
    cost_reason: str | None = None


class ExpectedThaw(Wire):
    """What was found frozen so far, priced before it was asked for."""

    parts: int
    objects: int
    bytes: int
    currency: str | None = None
    total: str


class ImportThawing(Wire):
    estimate: ExpectedThaw
    actual: Billed


def import_wish(
    location: str, *, prefix: str, inventory: tuple[str, str] | None, manifests: tuple[str, str] | None
) -> dict[str, Any]:
    """As the wire has it; `inventory` and `manifests` name a location and what lies there."""
    wish: dict[str, Any] = {"location": {"id": location, "type": "Location"}, "prefix": prefix}
    for name, part, where in (("inventory", "key", inventory), ("manifests", "prefix", manifests)):
        if where is not None:
            wish[name] = {"location": {"id": where[0], "type": "Location"}, part: where[1]}
    return wish
