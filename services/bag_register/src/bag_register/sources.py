"""What an import reads to know which bags there are: the store, an inventory of it, or another register's manifests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from bag_register.adoption import Place
from bag_register.file_lists import Keeper
from bag_register.inventories import read_inventory
from bag_register.records import Records
from bag_register.taking_over import Successor
from bag_register.walking import Listing
from common.domain.location import LocationId
from common.jobs import Scope
from common.ports import Stores

INVENTORY, MANIFESTS, COPIES = "inventory", "manifests", "copies"


@dataclass(frozen=True, slots=True)
class Where:
    """A key, or a prefix of keys, at a location."""

    location: LocationId
    key: str


@dataclass(frozen=True, slots=True)
class Source:
    """At most one of inventory and manifests is given; neither: the store is asked."""

    inventory: Where | None
    manifests: Where | None
    walks: bool = True
    """False for bags that are named one by one."""
    copies: bool = False
    """Registered bags are entered here too."""

    @classmethod
    def of(cls, scope: Scope) -> Source:
        given = scope.source
        return cls(
            _where(given.get(INVENTORY)),
            _where(given.get(MANIFESTS)),
            walks=not scope.paths,
            copies=bool(given.get(COPIES)),
        )

    @property
    def given(self) -> bool:
        return bool(self.inventory or self.manifests)

    @contextmanager
    def listing(self, at: Place, stores: Stores) -> Iterator[Listing]:
        """What lists the location's objects. Raises InventoryFault."""
        if self.inventory is None or not self.walks:
            yield at.store
            return
        store = stores(self.inventory.location)
        inventory = read_inventory(store, key=self.inventory.key, bucket=at.location.bucket, checkpoint=at.checkpoint)
        with closing(inventory):
            yield inventory

    def successor(self, at: Place, stores: Stores, lists: Keeper, records: Records) -> Successor | None:
        if self.manifests is None:
            return None
        return Successor(
            store=stores(self.manifests.location),
            stores=stores,
            lists=lists,
            at=at,
            entry_of=lambda bag: records.entries([bag]).get(bag),
        )


def _where(given: Any) -> Where | None:
    return None if given is None else Where(LocationId(given["location"]), given["key"])
