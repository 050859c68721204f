"""What the warmer asks the ledger: locations, and whether earlier versions are where this one is going."""

from __future__ import annotations

from sqlalchemy import Engine, select

from bag_warmer.presence import Presence
from common.domain.bag import BagVersion, Version
from common.domain.location import Location, LocationId
from common.domain.replica import ReplicaState
from common.ledger.engine import transaction
from common.ledger.locations import every_location
from common.ledger.tables import bag_locations, bag_versions, replicas


class LedgerRecords:
    """Reads on the primary."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def locations(self) -> list[Location]:
        """Every location there is."""
        with transaction(self._engine) as connection:
            return every_location(connection)

    def presence(self, bag: BagVersion, version: Version, location: LocationId) -> Presence:
        """Whether another version of the same bag is at the location."""
        wanted = (
            bag_versions.c.space == bag.space.value,
            bag_versions.c.external_identifier == bag.external_identifier.value,
            bag_versions.c.version == version.number,
        )
        with transaction(self._engine) as connection:
            # The replica first: one that ends between the two reads is then seen as registered, never as absent.
            state = connection.execute(
                select(replicas.c.state)
                .join(bag_versions, bag_versions.c.id == replicas.c.bag_version_id)
                .where(*wanted, replicas.c.location_id == location.value)
            ).scalar()
            registered = connection.execute(
                select(bag_locations.c.location_id)
                .join(bag_versions, bag_versions.c.id == bag_locations.c.bag_version_id)
                .where(*wanted, bag_locations.c.location_id == location.value)
            ).first()
        if registered:
            return Presence.REGISTERED
        return Presence.UNDER_WAY if state and not ReplicaState(state).terminal else Presence.ABSENT
