"""What a dry run of an import answers: what its thaws would come to, by a look at the bags that come first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bag_register.sources import INVENTORY, MANIFESTS
from bag_register.tag_files import Bounds, Look, look
from common.domain.location import Location, LocationId
from common.errors import BackfillError
from common.ledger.importing import ImportWish
from common.ports import Stores
from common.thawing.costs import Amount
from common.thawing.pricing import Pricing, cost_fields
from common.wording import count

_NOT_WALKED = 'What lies there is known when it has been walked: "register": false has it looked at only.'
_AS_FROZEN = "frozen ones are told as not_restored."


@dataclass(frozen=True, slots=True)
class Previewing:
    """What it takes to look and to price."""

    stores: Stores
    locations: Mapping[LocationId, Location]
    pricing: Pricing
    bounds: Bounds = field(default_factory=Bounds)

    def costs(self, wanted: ImportWish) -> dict[str, Any]:
        """`tagFiles` and `cost`; each, where it is not known, with the reason in `costReason`."""
        location = self.locations[LocationId(wanted.location_id)]
        if spared := self._spared(wanted, location):
            return {"tagFiles": None, **self._priced(location, {}), "costReason": spared}
        try:
            seen = self._look(wanted, location)
        except BackfillError as error:
            return {
                "tagFiles": None,
                "cost": None,
                "costReason": f"{location.name} cannot be looked at now ({error.code}): {error}",
            }
        return {"tagFiles": _tag_files(seen, self.bounds, wanted), **self._priced(location, seen.frozen)}

    def _spared(self, wanted: ImportWish, location: Location) -> str | None:
        """Why nothing would be thawed, whatever lies there."""
        if not wanted.registers:
            return f'With "register": false no tag file is thawed: {_AS_FROZEN}'
        if MANIFESTS in wanted.source:
            return f"Where manifests name the bags no tag file is thawed: {_AS_FROZEN}"
        if self.stores.cold(location.id) is None:
            return f"Nothing is thawed at {location.name}: its provider takes no restore requests."
        return None

    def _look(self, wanted: ImportWish, location: Location) -> Look:
        cold = self.stores.cold(location.id)
        assert cold is not None
        store = self.stores(location.id)
        return look(store, location=location, prefix=wanted.prefix, now=cold.now(), bounds=self.bounds)

    def _priced(self, location: Location, frozen: Mapping[str, Amount]) -> dict[str, Any]:
        return cost_fields(self.pricing.of_classes(location, None, frozen))


def preview_document(wanted: ImportWish, running: int | None, costs: Mapping[str, Any]) -> dict[str, Any]:
    """`running`: the import that does the very same already."""
    return {
        "type": "DryRun",
        "would": "create" if running is None else "join",
        **({"import": str(running)} if running is not None else {}),
        "location": {"id": wanted.location_id, "type": "Location"},
        "prefix": wanted.prefix,
        "objects": None,
        "bytes": None,
        "reason": _NOT_WALKED,
        **costs,
    }


def _tag_files(seen: Look, bounds: Bounds, wanted: ImportWish) -> dict[str, Any]:
    return {
        "type": "FrozenTagFiles",
        "lookedAt": {"bags": seen.bags, "complete": seen.complete},
        "estimated": True,
        "objects": sum(amount.objects for amount in seen.frozen.values()),
        "bytes": sum(amount.bytes for amount in seen.frozen.values()),
        "classes": {
            name: {"objects": amount.objects, "bytes": amount.bytes} for name, amount in sorted(seen.frozen.items())
        },
        "said": _said(seen, bounds) + (_LISTED if INVENTORY in wanted.source else ""),
    }


_LISTED = " The store was listed, not the inventory."


def _said(seen: Look, bounds: Bounds) -> str:
    if seen.complete:
        return f"All {count(seen.bags, 'bag')} there were looked at."
    told = f"Only the first {count(seen.bags, 'bag')} by key were looked at"
    told += f" (at most {bounds.bags}, for at most {bounds.seconds:g} seconds); there is more."
    return f"{told} n bags like these take n/{seen.bags} of it." if seen.bags else told
